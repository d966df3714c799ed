"""The form that the audit chain hashes."""


def test_canonical_is_the_form_of_rfc_8785():
    import rfc8785

    from hygiene.prove.chain import canonical

    documents = [
        {"b": '\u20ac\x7f\x00\x1f"\\/\b\f\n\r\t', "a": 0, "c": {"y": "ü", "x": "\U0001f600"}},
        {"detail": {"\ufb33": "1", "\U0001f600": "2", "a": "3"}},  # sorted by UTF-16 units, not by code points
        {"seq": 2**53 - 1, "empty": {}},
    ]
    assert [canonical(document) for document in documents] == [rfc8785.dumps(document) for document in documents]

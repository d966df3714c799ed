from hygiene.detect.encodings.radix import decode_base64


def test_decode_base64_padding_in_the_middle_does_not_raise():
    assert decode_base64(b"QUJD=RA") == b"ABCD"
    assert decode_base64(b"QUJDR") == b"ABC"
    assert decode_base64(b"=") == b""

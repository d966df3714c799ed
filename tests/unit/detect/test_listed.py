from itertools import chain, count

from hygiene.detect import listed
from hygiene.detect.listed import Listed
from hygiene.detect.sources.protocol import Item


def items(number, size=0):
    return [Item(f"{name:06}", size, "") for name in range(number)]


def handed(waiting, workers):
    chunks = []
    while chunk := waiting.chunk(workers):
        chunks.append([item.id for item in chunk.items])
        while waiting.list_more():
            pass
    return chunks


def test_listed_each_item_is_handed_out_once_in_order_within_its_chunk():
    chunks = handed(Listed(items(50_000)), 2)
    assert sorted(name for chunk in chunks for name in chunk) == [item.id for item in items(50_000)]
    assert all(chunk == sorted(chunk) for chunk in chunks)


def test_listed_chunks_shrink_towards_the_end():
    sizes = [len(chunk) for chunk in handed(Listed(items(50_000)), 2)]
    assert max(sizes) == listed._MOST_ITEMS
    assert sizes[-8:] == sorted(sizes[-8:], reverse=True)
    assert sum(sizes[-2:]) < 2 * listed._LEAST_ITEMS + 1


def test_listed_last_item_goes_out_first_once_all_are_listed():
    waiting = Listed(items(20_000))
    while waiting.list_more():
        pass
    assert waiting.done
    assert waiting.chunk(2).items[-1].id == "019999"


def test_listed_without_end_waits_for_workers():
    waiting = Listed(Item(str(name), 0, "") for name in count())
    while waiting.list_more():
        pass
    assert listed._AHEAD <= waiting.blobs < listed._AHEAD + listed._STEP
    assert waiting.chunk(2).items[0].id == "0"


def test_listed_large_items_are_few_in_a_chunk():
    chunks = handed(Listed(items(100, size=3 << 20)), 2)
    assert max(len(chunk) for chunk in chunks) == 3
    assert len(chunks[-1]) == 1


def test_listed_little_is_not_worth_a_worker():
    assert Listed(items(listed._FIRST_ITEMS - 1)).are_few()
    assert not Listed(items(listed._FIRST_ITEMS + 1)).are_few()
    assert not Listed(items(3, size=5 << 20)).are_few()


def test_listed_in_one_process_goes_in_the_order_of_the_list():
    waiting = Listed(items(20_000))
    chunks = [[item.id for item in chunk.items] for chunk in waiting.chunks()]
    assert list(chain(*chunks)) == [item.id for item in items(20_000)]
    assert max(map(len, chunks)) == listed._MOST_ITEMS

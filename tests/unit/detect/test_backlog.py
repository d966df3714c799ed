from itertools import chain, count

from hygiene.detect import backlog
from hygiene.detect.backlog import Backlog
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


def test_backlog_each_item_is_handed_out_once_in_order_within_its_chunk():
    chunks = handed(Backlog(items(50_000)), 2)
    assert sorted(name for chunk in chunks for name in chunk) == [item.id for item in items(50_000)]
    assert all(chunk == sorted(chunk) for chunk in chunks)


def test_backlog_chunks_shrink_towards_the_end():
    sizes = [len(chunk) for chunk in handed(Backlog(items(50_000)), 2)]
    assert max(sizes) == backlog._MOST_ITEMS
    assert sizes[-8:] == sorted(sizes[-8:], reverse=True)
    assert sum(sizes[-2:]) < 2 * backlog._LEAST_ITEMS + 1


def test_backlog_last_item_goes_out_first_once_all_are_listed():
    waiting = Backlog(items(20_000))
    while waiting.list_more():
        pass
    assert waiting.done
    assert waiting.chunk(2).items[-1].id == "019999"


def test_backlog_without_end_waits_for_workers():
    waiting = Backlog(Item(str(name), 0, "") for name in count())
    while waiting.list_more():
        pass
    assert backlog._AHEAD <= waiting.blobs < backlog._AHEAD + backlog._STEP
    assert waiting.chunk(2).items[0].id == "0"


def test_backlog_large_items_are_few_in_a_chunk():
    chunks = handed(Backlog(items(100, size=3 << 20)), 2)
    assert max(len(chunk) for chunk in chunks) == 3
    assert len(chunks[-1]) == 1


def test_backlog_little_is_not_worth_a_worker():
    assert Backlog(items(backlog._FIRST_ITEMS - 1)).are_few()
    assert not Backlog(items(backlog._FIRST_ITEMS + 1)).are_few()
    assert not Backlog(items(3, size=5 << 20)).are_few()


def test_backlog_in_one_process_goes_in_the_order_of_the_list():
    waiting = Backlog(items(20_000))
    chunks = [[item.id for item in chunk.items] for chunk in waiting.chunks()]
    assert list(chain(*chunks)) == [item.id for item in items(20_000)]
    assert max(map(len, chunks)) == backlog._MOST_ITEMS

from hypothesis import given
from hypothesis import strategies as st

from graphad.schedule.arena import ALIGNMENT, Arena, Claim, arrange

Request = tuple[int, bool]


def requests() -> st.SearchStrategy[list[Request]]:
    """Sizes to take, and whether to give something back afterwards."""
    return st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=60)


def played(asked: list[Request], choose: st.DataObject) -> tuple[Arena, dict[int, int]]:
    """The arena after the requests and the places that are still taken, offset to bytes; none may ever overlap."""
    arena, taken = Arena(), dict[int, int]()
    for nbytes, release in asked:
        offset = arena.take(nbytes)
        assert offset % ALIGNMENT == 0
        assert offset not in taken
        assert all(offset + nbytes <= other or other + size <= offset for other, size in taken.items())
        taken[offset] = nbytes
        assert arena.size >= max(other + size for other, size in taken.items())
        if release:
            gone = choose.draw(st.sampled_from(sorted(taken)))
            arena.give_back(gone, taken.pop(gone))
    return arena, taken


@given(requests(), st.data())
def test_places_are_aligned_inside_the_block_and_never_overlap(asked: list[Request], choose: st.DataObject) -> None:
    played(asked, choose)


@given(requests(), st.data())
def test_when_all_is_given_back_the_block_is_one_hole(asked: list[Request], choose: st.DataObject) -> None:
    arena, taken = played(asked, choose)
    for offset, nbytes in taken.items():
        arena.give_back(offset, nbytes)
    size = arena.size
    assert arena.take(size) == 0
    assert arena.size == max(size, ALIGNMENT)


def test_the_first_hole_that_is_large_enough_is_used() -> None:
    arena = Arena()
    places = [arena.take(nbytes) for nbytes in (64, 64, 128, 64, 192, 64)]
    for place, nbytes in ((places[0], 64), (places[2], 128), (places[4], 192)):
        arena.give_back(place, nbytes)
    assert [arena.take(100), arena.take(1), arena.take(192)] == [places[2], places[0], places[4]]
    assert arena.size == sum((64, 64, 128, 64, 192, 64))


def test_a_hole_at_the_end_grows_instead_of_being_left() -> None:
    arena = Arena()
    arena.take(64)
    last = arena.take(64)
    arena.give_back(last, 64)
    assert arena.take(640) == last
    assert arena.size == 64 + 640


def test_what_holds_nothing_has_a_place_of_its_own_all_the_same() -> None:
    arena = Arena()
    assert arena.take(0) != arena.take(0)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6), st.integers(0, 900)), max_size=40))
def test_claims_that_live_together_never_overlap(drawn: list[tuple[int, int, int]]) -> None:
    claims = [Claim(first, first + length, nbytes) for first, length, nbytes in drawn]
    offsets, size = arrange(claims)
    for one, at in zip(claims, offsets, strict=True):
        assert at % ALIGNMENT == 0
        assert at + one.nbytes <= size
        for other, there in zip(claims, offsets, strict=True):
            together = one is not other and one.first <= other.last and other.first <= one.last
            assert not together or at + max(1, one.nbytes) <= there or there + max(1, other.nbytes) <= at


def test_a_large_claim_takes_the_place_of_many_small_ones_that_are_dead() -> None:
    claims = [Claim(0, 2, 64), Claim(1, 3, 128), Claim(4, 5, 192), Claim(0, 5, 64)]
    assert arrange(claims)[1] == 256


def test_very_many_claims_are_arranged_in_the_order_of_time() -> None:
    claims = [Claim(i, i + 1, 64) for i in range(50_000)]
    assert arrange(claims)[1] == 128

"""The looks: no two kinds share a colour or a shape, and what is written can be read."""

from itertools import combinations

from graphad.render import style


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, of a colour written #rrggbb."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_kind_of_box_has_a_colour_a_shape_a_name_and_a_legend_of_its_own() -> None:
    for one, other in combinations(style.BOX_STYLES, 2):
        assert one.fill != other.fill
        assert (one.shape, one.look, one.borders) != (other.shape, other.look, other.borders)
        assert one.name != other.name
        assert one.legend != other.legend


def test_every_kind_of_arrow_differs_in_more_than_its_colour_or_by_far_in_its_width() -> None:
    for one, other in combinations(style.ARROW_STYLES, 2):
        assert (one.look, one.head, one.width) != (other.look, other.head, other.width)
        assert one.legend != other.legend


def test_titles_are_dark_on_their_fill_and_borders_stand_out_from_it() -> None:
    for kind in style.BOX_STYLES:
        assert contrast(style.INK, kind.fill) >= 7
        assert contrast(kind.line, kind.fill) >= 2.5


def test_what_stands_beside_the_boxes_reads_on_white_and_on_black() -> None:
    assert contrast(style.FAINT, "#ffffff") >= 4.5
    assert contrast(style.FAINT, "#000000") >= 4


def test_arrows_are_seen_on_white_and_on_black() -> None:
    for kind in style.ARROW_STYLES:
        assert contrast(kind.line, "#ffffff") >= 2.2
        assert contrast(kind.line, "#000000") >= 3

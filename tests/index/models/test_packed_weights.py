"""Weights in 4 and 8 bits: how near they stay, and that rounding twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.models.packed_weights import GROUP, pack_matrix, pack_table, unpack


def weights(rows: int, groups: int, seed: int, spread: float) -> Any:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((rows, groups * GROUP)) * spread + rng.standard_normal()
    return values.astype(np.float32)


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 999),
    st.sampled_from([0.0, 1e-3, 1.0, 30.0]),
    st.sampled_from([(pack_matrix, 15), (pack_table, 255)]),
)
def test_each_weight_stays_within_half_a_step(
    rows: int, groups: int, seed: int, spread: float, kind: tuple[Callable[..., Any], int]
) -> None:
    pack, steps = kind
    before = weights(rows, groups, seed, spread)

    [after] = unpack(pack("a", before)).values()

    grouped = before.reshape(rows, -1, GROUP if pack is pack_matrix else groups * GROUP)
    step = (grouped.max(-1) - grouped.min(-1))[..., None] / steps
    # float16 has eleven bits: of the lowest weight, and of the step, taken up to 255 times.
    rounding = (np.abs(grouped).max() + steps * step) * 2**-10
    gap = np.abs(after.reshape(grouped.shape) - grouped)
    assert (gap <= step / 2 + rounding + 1e-6).all()


def test_a_matrix_takes_five_bits_a_weight_and_a_table_eight() -> None:
    matrix, table = weights(64, 12, 1, 1.0), weights(64, 12, 2, 1.0)

    assert sum(each.nbytes for each in pack_matrix("m", matrix).values()) * 8 / matrix.size <= 5
    assert sum(each.nbytes for each in pack_table("t", table).values()) * 8 / table.size <= 8.1


def test_what_is_small_stays_as_it_is() -> None:
    arrays = {"bias": np.float16([0.5, -2])} | pack_matrix("m", weights(2, 1, 3, 1.0))

    tensors = unpack(arrays)

    assert tensors.keys() == {"bias", "m"}
    assert tensors["bias"].tolist() == [0.5, -2]
    assert all(each.dtype == np.float32 for each in tensors.values())


@pytest.mark.parametrize("pack", [pack_matrix, pack_table])
def test_the_largest_and_the_smallest_of_a_group_keep_their_places(
    pack: Callable[..., Any],
) -> None:
    before = weights(3, 1, 4, 1.0)

    after = unpack(pack("a", before))["a"]

    assert after.argmax(1).tolist() == before.argmax(1).tolist()
    assert after.argmin(1).tolist() == before.argmin(1).tolist()

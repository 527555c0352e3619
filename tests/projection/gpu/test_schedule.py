from hypothesis import given
from hypothesis import strategies as st

from trakway.projection.gpu import schedule

shapes = {
    "format": st.sampled_from(schedule.FORMATS),
    "batch": st.integers(1, 5000),
    "parameters": st.integers(1, 10**10),
    "dim": st.integers(1, 10**5),
}


@given(**shapes)
def test_dense_covers_everything_once(format, batch, parameters, dim):
    plan = schedule.dense(format, batch, parameters, dim)
    assert plan.name in schedule.all_kernels()
    assert plan.reduce_name in schedule.all_kernels()
    assert (plan.stages - 1) * plan.depth < parameters <= plan.stages * plan.depth
    assert (plan.splits - 1) * plan.stages_a_split < plan.stages <= plan.splits * plan.stages_a_split
    assert plan.batch_tiles * 8 * plan.n >= batch
    assert plan.padded_groups * 16 * plan.m >= dim
    assert plan.blocks < 2**31
    assert plan.blocks <= schedule.BLOCKS + plan.batch_tiles * plan.column_tiles


@given(**shapes)
def test_sparse_covers_everything_once(format, batch, parameters, dim):
    plan = schedule.sparse(format, batch, parameters, dim)
    assert plan.name in schedule.all_kernels()
    assert plan.length <= 2**15
    assert (plan.segments - 1) * plan.length < parameters <= plan.segments * plan.length
    assert (plan.splits - 1) * plan.segments_a_split < plan.segments <= plan.splits * plan.segments_a_split
    assert plan.batch_tiles * plan.rows >= batch
    assert plan.column_tiles * plan.tile_columns >= dim
    assert plan.shared <= 80 << 10
    assert plan.blocks < 2**31

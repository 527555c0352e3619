"""Vectors of 16 float32 numbers inside compiled loops: one lane for each of 16 gradients that are projected together.

Lane l of a row belongs to gradient l, so that no sum ever mixes two gradients: features depend on nothing but their
own gradient, to the bit, and an infinity stays in its own row. LLVM makes of these vectors what the processor has
(AVX-512, AVX2, NEON); written as plain loops, it left them scalar.
"""

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic

from trakway.runtime.compilation import tell_compilation

tell_compilation()  # here, since no loop of a projection is compiled before this module is imported

LANES = 16
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INDEX = ir.IntType(64)


def _shuffle(builder, one, other, lanes):
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes)
    return builder.shuffle_vector(one, other, mask)


def _row(context, builder, kind, array, index):
    """Return the address of row ``index`` of a C-contiguous (n, LANES) array."""
    data = context.make_array(kind)(context, builder, array).data
    first = builder.mul(index, ir.Constant(index.type, LANES))
    return builder.bitcast(builder.gep(data, [first]), _VECTOR.as_pointer())


def _load(builder, address):
    return builder.load(address, align=4)


def _store(builder, value, address):
    builder.store(value, address, align=4)


@intrinsic
def add_entries(typing, sums, j, table, entries):
    """``sums[j] += table[entries[0]] + table[entries[1]] + ...``, summed pairwise."""

    def generate(context, builder, signature, arguments):
        address = _row(context, builder, signature.args[0], arguments[0], arguments[1])
        rows = [
            _load(builder, _row(context, builder, signature.args[2], arguments[2], entry))
            for entry in cgutils.unpack_tuple(builder, arguments[3])
        ]
        while len(rows) > 1:
            odd = rows[len(rows) & ~1 :]
            rows = [builder.fadd(a, b) for a, b in zip(rows[::2], rows[1::2], strict=False)] + odd
        _store(builder, builder.fadd(_load(builder, address), rows[0]), address)
        return context.get_dummy_value()

    return types.void(sums, j, table, entries), generate


@intrinsic
def add_and_subtract(typing, table, i, step, values, r):
    """``table[i], table[i + step] = table[i] + values[r], table[i] - values[r]``."""

    def generate(context, builder, signature, arguments):
        low = _row(context, builder, signature.args[0], arguments[0], arguments[1])
        high = _row(context, builder, signature.args[0], arguments[0], builder.add(arguments[1], arguments[2]))
        one = _load(builder, low)
        other = _load(builder, _row(context, builder, signature.args[3], arguments[3], arguments[4]))
        _store(builder, builder.fadd(one, other), low)
        _store(builder, builder.fsub(one, other), high)
        return context.get_dummy_value()

    return types.void(table, i, step, values, r), generate


@intrinsic
def add_scaled(typing, sums, j, values, r, scale):
    """``sums[j] += scale * values[r]``."""

    def generate(context, builder, signature, arguments):
        address = _row(context, builder, signature.args[0], arguments[0], arguments[1])
        value = _load(builder, _row(context, builder, signature.args[2], arguments[2], arguments[3]))
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(undefined, arguments[4], ir.Constant(ir.IntType(32), 0))
        scale = _shuffle(builder, first, undefined, [0] * LANES)
        _store(builder, builder.fadd(_load(builder, address), builder.fmul(value, scale)), address)
        return context.get_dummy_value()

    return types.void(sums, j, values, r, scale), generate


def _lines(context, builder, kind, array, row, column):
    """Return the addresses of ``array[min(row + l, last), column]`` for l below LANES."""
    array = context.make_array(kind)(context, builder, array)
    (stride, _), (height, _) = (cgutils.unpack_tuple(builder, x, 2) for x in (array.strides, array.shape))
    last = builder.sub(height, ir.Constant(_INDEX, 1))
    first = builder.add(builder.ptrtoint(array.data, _INDEX), builder.mul(column, ir.Constant(_INDEX, 4)))
    for lane in range(LANES):
        line = builder.add(row, ir.Constant(_INDEX, lane))
        line = builder.select(builder.icmp_signed("<", line, last), line, last)
        yield builder.inttoptr(builder.add(first, builder.mul(line, stride)), _VECTOR.as_pointer())


def _rows(context, builder, kind, array, first):
    """Return the addresses of rows ``first + a`` for a below LANES."""
    for a in range(LANES):
        yield _row(context, builder, kind, array, builder.add(first, ir.Constant(_INDEX, a)))


def _transpose(builder, sources, places):
    """Write 16 vectors, transposed."""
    rows = [_load(builder, source) for source in sources]
    for bit in (8, 4, 2, 1):  # swap the off-diagonal blocks of 8 x 8, then of 4 x 4...
        low = [lane if not lane & bit else LANES + (lane ^ bit) for lane in range(LANES)]
        high = [lane | bit if not lane & bit else LANES + lane for lane in range(LANES)]
        for a in (lane for lane in range(LANES) if not lane & bit):
            one, other = rows[a], rows[a | bit]
            rows[a], rows[a | bit] = _shuffle(builder, one, other, low), _shuffle(builder, one, other, high)
    for row, place in zip(rows, places, strict=True):
        _store(builder, row, place)


@intrinsic
def _load_square(typing, rows, i, matrix, row, column):
    """``rows[i + a, l] = matrix[min(row + l, last), column + a]`` for a and l below LANES."""

    def generate(context, builder, signature, arguments):
        (rows_kind, _, matrix_kind, *_), (rows, i, *place) = signature.args, arguments
        lines = _lines(context, builder, matrix_kind, *place)
        _transpose(builder, lines, _rows(context, builder, rows_kind, rows, i))
        return context.get_dummy_value()

    return types.void(rows, i, matrix, row, column), generate


@intrinsic
def _store_square(typing, rows, i, matrix, row, column):
    """``matrix[min(row + l, last), column + a] = rows[i + a, l]`` for a and l below LANES."""

    def generate(context, builder, signature, arguments):
        (rows_kind, _, matrix_kind, *_), (rows, i, *place) = signature.args, arguments
        lines = _lines(context, builder, matrix_kind, *place)
        _transpose(builder, _rows(context, builder, rows_kind, rows, i), lines)
        return context.get_dummy_value()

    return types.void(rows, i, matrix, row, column), generate


@numba.njit
def load_lanes(rows, matrix, row, column, count):  # pragma: no cover (compiled)
    """Put columns ``column``... of the 16 lines of ``matrix`` from ``row`` on into ``count`` rows, a line a lane.

    ``rows`` is float32, C-contiguous, (count or more, LANES); ``matrix`` float32 with columns next to each other. The
    last line is repeated in lanes beyond it.
    """
    whole = count - count % LANES
    for i in range(0, whole, LANES):
        _load_square(rows, i, matrix, row, column + i)
    for i in range(whole, count):
        for lane in range(LANES):
            rows[i, lane] = matrix[min(row + lane, matrix.shape[0] - 1), column + i]


@numba.njit
def store_lanes(rows, matrix, row, column, count):  # pragma: no cover (compiled)
    """The way back of ``load_lanes``; lanes beyond the last line must hold the same as it."""
    whole = count - count % LANES
    for i in range(0, whole, LANES):
        _store_square(rows, i, matrix, row, column + i)
    for i in range(whole, count):
        for lane in range(LANES):
            matrix[min(row + lane, matrix.shape[0] - 1), column + i] = rows[i, lane]

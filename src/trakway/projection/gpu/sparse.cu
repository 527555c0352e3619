// Sparse projection without atomics. The coordinates are cut into segments whose gradients fit in shared memory; within
// a segment the nonzeros are listed by column (made once a projection, see `listing.py`). A thread owns columns: it
// adds the gradients of a column's coordinates in the order of the list, so sums are the same every time.
//
// Gradients are read once, coalesced; the gather happens in shared memory. ROWS gradients share each list.

// Column and sign (+1 or -1) of entry `l` of every row i in [first, first + count), at (i - first)·nonzeros + l.
__global__ void sparse_entries(i64 first, i64 count, int nonzeros, u32 dim, u32 key0, u32 key1, int* columns, signed char* signs) {
    const i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count * nonzeros) return;
    const u64 row = first + at / nonzeros;
    const Words words = philox((u32)row, (u32)(row >> 32), (u32)(at % nonzeros), 1, key0, key1);
    columns[at] = (int)((u64)words.w[0] * dim >> 32);
    signs[at] = words.w[1] & 1 ? -1 : 1;
}

const int THREADS = 512;

// Block: one tile of columns × ROWS gradients × a run of segments. Shared memory: LENGTH·ROWS gradients, then
// tile_columns·ROWS sums. A list entry is 2 bytes: the coordinate's place in its segment, and the sign on top.
template <int FORMAT, int ROWS>
__global__ void __launch_bounds__(THREADS, 2)
sparse(const void* gradients, i64 pitch, int batch, i64 parameters, int dim, int tile_columns, int column_tiles, int batch_tiles,
       int length, int nonzeros, i64 segments, i64 segments_a_split, const int* offsets, const u16* entries, float* partial) {
    extern __shared__ __align__(16) float memory[];
    float* staged = memory;
    float* sums = memory + (i64)length * ROWS;
    const int first_column = blockIdx.x % column_tiles * tile_columns;
    const int columns = dim - first_column < tile_columns ? dim - first_column : tile_columns;
    const int first_row = blockIdx.x / column_tiles % batch_tiles * ROWS;
    const i64 split = blockIdx.x / column_tiles / batch_tiles;
    const i64 first = split * segments_a_split;
    const i64 last = first + segments_a_split < segments ? first + segments_a_split : segments;

    i64 rows[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; ++r) rows[r] = (first_row + r < batch ? first_row + r : batch - 1) * pitch;
    for (int c = threadIdx.x; c < columns * ROWS; c += THREADS) sums[c] = 0;

    for (i64 segment = first; segment < last; ++segment) {
        const i64 start = segment * length;
        const int here = parameters - start < length ? (int)(parameters - start) : length;
        __syncthreads();  // the sums are zeroed, the previous segment is done with
#pragma unroll 4
        for (int i = threadIdx.x; i < here; i += THREADS)
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
                const i64 at = rows[r] + start + i;
                const u32 bits = FORMAT == FLOAT32 ? ((const u32*)gradients)[at] : ((const u16*)gradients)[at];
                staged[i * ROWS + r] = decode<FORMAT>(bits);
            }
        __syncthreads();
        const int* bounds = offsets + segment * (dim + 1) + first_column;
        const u16* list = entries + start * nonzeros;
        for (int c = threadIdx.x; c < columns; c += THREADS) {
            const int end = bounds[c + 1];
            float total[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; ++r) total[r] = sums[c * ROWS + r];
            for (int at = bounds[c]; at < end; ++at) {
                const u32 entry = list[at];
                const float* values = staged + (entry & 0x7FFF) * ROWS;
                const u32 sign = (entry & 0x8000) << 16;
#pragma unroll
                for (int r = 0; r < ROWS; ++r) total[r] += __uint_as_float(__float_as_uint(values[r]) ^ sign);
            }
#pragma unroll
            for (int r = 0; r < ROWS; ++r) sums[c * ROWS + r] = total[r];
        }
    }
    __syncthreads();
#pragma unroll
    for (int r = 0; r < ROWS; ++r)
        if (first_row + r < batch)
            for (int c = threadIdx.x; c < columns; c += THREADS)
                partial[(split * batch + first_row + r) * dim + first_column + c] = sums[c * ROWS + r];
}

__global__ void sparse_reduce(const float* partial, i64 splits, int batch, int dim, float scale, float* features, int* faulty) {
    const i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x, count = (i64)batch * dim;
    if (at >= count) return;
    float total = 0;
#pragma unroll 4
    for (i64 split = 0; split < splits; ++split) total += partial[split * count + at];
    features[at] = total * scale;
    if (!finite(total)) faulty[at / dim] = 1;
}

// Rademacher projection on tensor cores: Fᵀ = Pᵀ Gᵀ, with P made in registers and never stored.
//
// One Philox call of each of a warp's 32 lanes gives the signs of a block of 32 coordinates × 128 columns. The
// definition orders the bits so that a lane finds in its own four words what `mma.m16n8k16` wants from it: register
// (k-step s, half h, group t of 8 columns) is bf16 ±1.0 twice, with bits t and t + 16 of w[2s + h] as sign bits. With Pᵀ
// as the first operand two groups of columns make its 16 rows, and gradients, the second, come in steps of 8.
//
// A block of 4 warps works on COLUMN_WARPS · 16 · M columns, 8 · N gradients and one stretch of coordinates; its warps
// stand side by side over the columns, or over the coordinates when there are few columns. float32 and float16
// gradients are split into two bf16 once, on their way to shared memory.
//
// Tensor cores cut off their sums instead of rounding them; the bias would grow with the number of steps. So a
// warp's sums move, every FLUSH stages, to float32 partial sums in global memory (its own, so the order is fixed).

const int WARPS = 4;
const int FLUSH_COORDINATES = 2048;  // summed by tensor cores alone: 128 steps, a bias below 2^-17

template <int M, int N, int COLUMN_WARPS>
struct Shape {
    static const int COLUMNS = 16 * M;                                     // of a warp
    static const int GRADIENTS = 8 * N;                                    // of a block
    static const int DEPTH_WARPS = WARPS / COLUMN_WARPS;                   // side by side over the coordinates
    static const int DEPTH = DEPTH_WARPS == 1 ? 64 : 32 * DEPTH_WARPS;     // coordinates of a stage
    static const int BLOCKS = DEPTH / (32 * DEPTH_WARPS);                  // 32-row blocks a warp does in a stage
    static const int FLUSH = FLUSH_COORDINATES / (32 * BLOCKS);            // stages between two flushes
    static const int STRIDE = DEPTH / 2 + 4;                               // words a row in shared memory; +4: no bank conflicts
    static const int PAIRS = GRADIENTS * DEPTH / 2 / (32 * WARPS);         // pairs of coordinates a thread fetches
};

// Two neighbouring coordinates i, i + 1 of a gradient, as they lie in memory; zeros from `end` on.
template <int FORMAT>
struct Pair {
    u32 bits[FORMAT == FLOAT32 ? 2 : 1];

    __device__ __forceinline__ void fetch(const void* gradients, i64 row, i64 i, i64 end, bool whole) {
        if (FORMAT == FLOAT32) {
            const u32* from = (const u32*)gradients + row + i;
            if (whole) {
                const uint2 both = *(const uint2*)from;
                bits[0] = both.x;
                bits[sizeof(bits) / 4 - 1] = both.y;
            } else {
                bits[0] = i < end ? from[0] : 0;
                bits[sizeof(bits) / 4 - 1] = i + 1 < end ? from[1] : 0;
            }
        } else {
            const u16* from = (const u16*)gradients + row + i;
            if (whole) {
                bits[0] = *(const u32*)from;
            } else {
                const u32 low = i < end ? from[0] : 0, high = i + 1 < end ? from[1] : 0;
                bits[0] = high << 16 | low;
            }
        }
    }

    // x = high + low, each bf16: |x - high - low| ≤ 2^-17 |x|.
    __device__ __forceinline__ void split(u32& high, u32& low) const {
        const float x0 = FORMAT == FLOAT32 ? __uint_as_float(bits[0]) : from_half((u16)bits[0]);
        const float x1 = FORMAT == FLOAT32 ? __uint_as_float(bits[sizeof(bits) / 4 - 1]) : from_half((u16)(bits[0] >> 16));
        high = bf16_pair(x0, x1);
        low = bf16_pair(x0 - __uint_as_float(high << 16), x1 - __uint_as_float(high & 0xFFFF0000u));
    }
};

template <int FORMAT, int M, int N, int COLUMN_WARPS>
__global__ void __launch_bounds__(32 * WARPS, N >= 4 ? 2 : N == 2 ? 3 : 4)
dense(const void* gradients, i64 pitch, int aligned, int batch, i64 parameters, int dim, u32 key0, u32 key1,
      i64 stages, i64 stages_a_split, int batch_tiles, int column_tiles, float4* partial) {
    typedef Shape<M, N, COLUMN_WARPS> S;
    const int PARTS = FORMAT == BFLOAT16 ? 1 : 2;
    __shared__ __align__(16) u32 staged[2][PARTS][S::GRADIENTS][S::STRIDE];

    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int column_warp = warp % COLUMN_WARPS, depth_warp = warp / COLUMN_WARPS;
    // Neighbouring blocks share their gradients: the first reads them from memory, the others from the L2 cache.
    const int column_tile = blockIdx.x % column_tiles;
    const int batch_tile = blockIdx.x / column_tiles % batch_tiles;
    const i64 split = blockIdx.x / column_tiles / batch_tiles;
    const i64 first = split * stages_a_split;
    const i64 last = first + stages_a_split < stages ? first + stages_a_split : stages;

    const int group = column_tile * COLUMN_WARPS + column_warp;  // of S::COLUMNS columns
    const bool working = group * S::COLUMNS < dim;
    const u32 column_block = group * S::COLUMNS / 128;
    // 1.0 twice, disguised: an instruction takes one constant only, so were both known, mask and flip would be two.
    const u32 ones = batch > 0 ? 0x3F803F80u : 0;
    const int unused = M == 8 ? 0 : 8 * (1 - group % 2);  // a warp of 64 columns uses half the bits: raise them
    float4* sums = partial + ((((split * S::DEPTH_WARPS + depth_warp) * batch_tiles + batch_tile) * column_tiles * COLUMN_WARPS
                               + group) * (i64)(M * N)) * 32 + lane;

    Pair<FORMAT> fetched[S::PAIRS];
    auto fetch = [&](i64 stage) {
        const i64 start = stage * S::DEPTH;
        const bool whole = aligned && start + S::DEPTH <= parameters;
        const int thread = recomputed(threadIdx.x);
#pragma unroll
        for (int e = 0; e < S::PAIRS; ++e) {
            const int at = e * 32 * WARPS + thread;
            int row = batch_tile * S::GRADIENTS + at / (S::DEPTH / 2);
            row = row < batch ? row : batch - 1;  // its sums are never read
            fetched[e].fetch(gradients, row * pitch, start + at % (S::DEPTH / 2) * 2, parameters, whole);
        }
    };
    auto stash = [&](int buffer) {
#pragma unroll
        for (int e = 0; e < S::PAIRS; ++e) {
            const int at = e * 32 * WARPS + threadIdx.x, row = at / (S::DEPTH / 2), pair = at % (S::DEPTH / 2);
            if (FORMAT == BFLOAT16) {
                staged[buffer][0][row][pair] = fetched[e].bits[0];
            } else {
                u32 high, low;
                fetched[e].split(high, low);
                staged[buffer][0][row][pair] = high;
                staged[buffer][PARTS - 1][row][pair] = low;
            }
        }
    };

    float sum[M][N][4] = {};
    bool started = false;
    auto flush = [&]() {
#pragma unroll
        for (int m = 0; m < M; ++m)
#pragma unroll
            for (int n = 0; n < N; ++n) {
                float(&c)[4] = sum[m][n];
                float4 total = make_float4(c[0], c[1], c[2], c[3]);
                float4* to = sums + (m * N + n) * 32;
                if (started) {
                    const float4 before = *to;
                    total = make_float4(before.x + c[0], before.y + c[1], before.z + c[2], before.w + c[3]);
                }
                *to = total;
                c[0] = c[1] = c[2] = c[3] = 0;
            }
        started = true;
    };

    fetch(first);
    stash(0);
    int unflushed = 0;
    for (i64 stage = first; stage < last; ++stage) {
        const int buffer = (stage - first) % 2;
        __syncthreads();
        if (stage + 1 < last) fetch(stage + 1);
        if (working) {
#pragma unroll 1
            for (int block = 0; block < S::BLOCKS; ++block) {
                const int offset = block * S::DEPTH_WARPS + depth_warp;  // in 32-row blocks, within the stage
                const u64 row_block = (u64)stage * (S::DEPTH / 32) + offset;
                Words words = philox((u32)row_block, (u32)(row_block >> 32), column_block, lane, key0, key1);
#pragma unroll
                for (int i = 0; i < 4; ++i) words.w[i] <<= unused;
#pragma unroll
                for (int step = 0; step < 2; ++step) {
                    u32 b[PARTS][N][2];
                    const int from = offset * 16 + step * 8 + lane / 8 % 2 * 4;  // in words of two coordinates
#pragma unroll
                    for (int part = 0; part < PARTS; ++part) {
                        if (N == 1) {
                            ldmatrix2(b[part][0], &staged[buffer][part][lane % 8][from]);
                        } else {
#pragma unroll
                            for (int n = 0; n + 1 < N; n += 2)
                                ldmatrix4(b[part][n][0], b[part][n][1], b[part][n + 1][0], b[part][n + 1][1],
                                          &staged[buffer][part][n * 8 + lane / 16 * 8 + lane % 8][from]);
                        }
                    }
#pragma unroll
                    for (int m = 0; m < M; ++m) {
                        u32 a[4];
#pragma unroll
                        for (int i = 0; i < 4; ++i) {
                            const int t = 2 * m + i % 2, h = i / 2;
                            a[i] = ones ^ (words.w[2 * step + h] << (2 * M - 1 - t) & 0x80008000u);
                        }
#pragma unroll
                        for (int part = 0; part < PARTS; ++part)
#pragma unroll
                            for (int n = 0; n < N; ++n) mma(sum[m][n], a, b[part][n]);
                    }
                }
            }
            if (++unflushed == S::FLUSH) {
                flush();
                unflushed = 0;
            }
        }
        if (stage + 1 < last) stash(1 - buffer);
    }
    if (working && (unflushed || !started)) flush();
}

// Add the partial sums of all splits, in the same order every time, and put them where they belong.
const int REDUCERS = 8;

template <int M, int N>
__global__ void __launch_bounds__(32 * REDUCERS)
dense_reduce(const float4* partial, i64 splits, int batch, int dim, int groups, int padded_groups, int batch_tiles,
             float scale, float* features, int* faulty) {
    __shared__ float4 shared[REDUCERS][32];
    const int lane = threadIdx.x % 32, reducer = threadIdx.x / 32;
    const int tile = blockIdx.x % (M * N), m = tile / N, n = tile % N;
    const int group = blockIdx.x / (M * N) % groups, batch_tile = blockIdx.x / (M * N) / groups;
    const i64 step = (i64)batch_tiles * padded_groups * (M * N) * 32;
    const float4* from = partial + (((i64)batch_tile * padded_groups + group) * (M * N) + tile) * 32 + lane;
    float4 total = make_float4(0, 0, 0, 0);
#pragma unroll 4
    for (i64 split = reducer; split < splits; split += REDUCERS) {
        const float4 part = from[split * step];
        total = make_float4(total.x + part.x, total.y + part.y, total.z + part.z, total.w + part.w);
    }
    shared[reducer][lane] = total;
    __syncthreads();
    if (reducer) return;
    for (int other = 1; other < REDUCERS; ++other) {
        const float4 part = shared[other][lane];
        total = make_float4(total.x + part.x, total.y + part.y, total.z + part.z, total.w + part.w);
    }
    const float values[4] = {total.x, total.y, total.z, total.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const int column = (group * M + m) * 16 + i / 2 * 8 + lane / 4;
        const int row = (batch_tile * N + n) * 8 + lane % 4 * 2 + i % 2;
        if (row < batch && column < dim) {
            features[(i64)row * dim + column] = values[i] * scale;
            if (!finite(values[i])) faulty[row] = 1;
        }
    }
}

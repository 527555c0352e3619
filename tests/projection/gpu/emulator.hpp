// Runs the kernels' own source on a CPU: threads of a block are fibers, warps and barriers wait for each other, and the
// matrix instructions move data between lanes as the PTX ISA says. Blocks run one after another.
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#define TRAKWAY_EMULATED
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))

struct uint2 { unsigned x, y; };
struct float4 { float x, y, z, w; };
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float __uint_as_float(unsigned bits) { float x; memcpy(&x, &bits, 4); return x; }
inline unsigned __float_as_uint(float x) { unsigned bits; memcpy(&bits, &x, 4); return bits; }

struct Index { int x; };
struct Lane {  // what a thread shows to the others of its warp
    unsigned a[4], b[2];
    const void* row;
};
struct Fiber {
    ucontext_t context;
    std::vector<char> stack = std::vector<char>(64 << 10);
    bool done = false;
    int collectives = 0;  // how many it has entered
};

static std::vector<Fiber> fibers;
static std::vector<Lane> lanes[2];  // two sets: a warp may already enter the next collective while some still read
static std::vector<int> warp_arrivals;
static int block_arrivals, block_generation;
static ucontext_t scheduler;
static Index threadIdx, blockIdx, blockDim;
static char dynamic_shared[96 << 10] __attribute__((aligned(16)));

static void pause() {
    const int me = threadIdx.x;
    swapcontext(&fibers[me].context, &scheduler);
    threadIdx.x = me;
}

inline void __syncthreads() {
    const int generation = block_generation;
    if (++block_arrivals == blockDim.x) block_arrivals = 0, ++block_generation;
    while (generation == block_generation) pause();
}

// Show `mine` to the warp; return what its 32 lanes showed.
static const Lane* exchange(const Lane& mine) {
    const int me = threadIdx.x, warp = me / 32, turn = fibers[me].collectives++;
    lanes[turn % 2][me] = mine;
    ++warp_arrivals[warp];
    while (warp_arrivals[warp] < 32 * (turn + 1)) pause();
    return &lanes[turn % 2][warp * 32];
}

inline float bf16(unsigned pair, int half) { return __uint_as_float(half ? pair & 0xFFFF0000u : pair << 16); }

inline void mma(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    Lane mine{};
    memcpy(mine.a, a, sizeof a);
    memcpy(mine.b, b, sizeof b);
    const Lane* warp = exchange(mine);
    const int lane = threadIdx.x % 32;
    for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        double sum = c[i];
        for (int k = 0; k < 16; ++k) {
            const unsigned left = warp[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2];
            const unsigned right = warp[column * 4 + k % 8 / 2].b[k / 8];
            sum += (double)bf16(left, k % 2) * bf16(right, k % 2);
        }
        c[i] = (float)sum;
        if (std::fabs((double)c[i]) > std::fabs(sum)) c[i] = std::nextafterf(c[i], 0);  // tensor cores cut off
    }
}

inline unsigned matrix_word(const Lane* warp, int matrix) {
    const int lane = threadIdx.x % 32;
    return ((const unsigned*)warp[matrix * 8 + lane / 4].row)[lane % 4];
}

inline void ldmatrix2(unsigned (&r)[2], const void* row) {
    const Lane* warp = exchange({{}, {}, row});
    for (int i = 0; i < 2; ++i) r[i] = matrix_word(warp, i);
}

inline void ldmatrix4(unsigned& r0, unsigned& r1, unsigned& r2, unsigned& r3, const void* row) {
    const Lane* warp = exchange({{}, {}, row});
    r0 = matrix_word(warp, 0), r1 = matrix_word(warp, 1), r2 = matrix_word(warp, 2), r3 = matrix_word(warp, 3);
}

inline unsigned round_bf16(float x) {
    const unsigned bits = __float_as_uint(x);
    return std::isnan(x) ? 0x7FFF : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}
inline unsigned bf16_pair(float low, float high) { return round_bf16(high) << 16 | round_bf16(low); }
inline int recomputed(int number) { return number; }
inline float from_half(unsigned short bits) { _Float16 x; memcpy(&x, &bits, 2); return (float)x; }

static void (*body)(void*);
static void* body_arguments;

static void enter() {
    const int me = threadIdx.x;
    body(body_arguments);
    fibers[me].done = true;
    threadIdx.x = me;
    while (true) pause();
}

template <class... A>
struct Kernel {
    void (*function)(A...);
    void** arguments;
    template <size_t... I>
    void call(std::index_sequence<I...>) { function(*(A*)arguments[I]...); }
};

// As cuLaunchKernel, with the arguments' sizes checked. Returns 0, or 1 + the position of a wrong argument.
template <class... A>
int run(void (*function)(A...), int blocks, int threads, int count, void** arguments, const int* sizes) {
    const int expected[] = {(int)sizeof(A)...};
    if (count != sizeof...(A)) return 1000;
    for (int i = 0; i < count; ++i)
        if (sizes[i] != expected[i]) return 1 + i;
    Kernel<A...> kernel{function, arguments};
    body = [](void* k) { ((Kernel<A...>*)k)->call(std::index_sequence_for<A...>{}); };
    body_arguments = &kernel;
    blockDim.x = threads;
    if ((int)fibers.size() < threads) fibers = std::vector<Fiber>(threads);
    for (auto& set : lanes) set.assign(threads, Lane{});
    for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) {
        warp_arrivals.assign(threads / 32, 0);
        block_arrivals = 0;
        memset(dynamic_shared, 0xFF, sizeof dynamic_shared);  // NaN: reading what nobody wrote shows
        for (int t = 0; t < threads; ++t) {
            fibers[t].done = false;
            fibers[t].collectives = 0;
            getcontext(&fibers[t].context);
            fibers[t].context.uc_stack.ss_sp = fibers[t].stack.data();
            fibers[t].context.uc_stack.ss_size = fibers[t].stack.size();
            fibers[t].context.uc_link = nullptr;
            makecontext(&fibers[t].context, enter, 0);
        }
        for (bool busy = true; busy;) {
            busy = false;
            for (int t = 0; t < threads; ++t) {
                if (fibers[t].done) continue;
                busy = true;
                threadIdx.x = t;
                swapcontext(&scheduler, &fibers[t].context);
            }
        }
    }
    return 0;
}

// Philox4x32-10 (Salmon et al., SC 2011), the instructions that C++ has no word for, and the formats of gradients.
// Compiled by NVRTC without any header of CUDA's, so that it needs no toolkit.

typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned long long u64;
typedef long long i64;

enum Format { FLOAT32, BFLOAT16, FLOAT16 };

struct Words {
    u32 w[4];
};

__device__ __forceinline__ Words philox(u32 x0, u32 x1, u32 x2, u32 x3, u32 k0, u32 k1) {
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const u64 p0 = (u64)x0 * 0xD2511F53u, p1 = (u64)x2 * 0xCD9E8D57u;
        x0 = (u32)(p1 >> 32) ^ x1 ^ k0;
        x1 = (u32)p1;
        x2 = (u32)(p0 >> 32) ^ x3 ^ k1;
        x3 = (u32)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{x0, x1, x2, x3}};
}

#ifndef TRAKWAY_EMULATED  // the tests run these kernels on a CPU and bring their own versions of what follows

__device__ __forceinline__ u32 shared_address(const void* pointer) {
    return (u32)__cvta_generic_to_shared(pointer);
}

// Two 8×8 matrices of 16-bit numbers, or four; lane i gives the address of row i mod 8 of matrix i div 8.
__device__ __forceinline__ void ldmatrix2(u32 (&r)[2], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1]) : "r"(shared_address(row)) : "memory");
}

__device__ __forceinline__ void ldmatrix4(u32& r0, u32& r1, u32& r2, u32& r3, const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3) : "r"(shared_address(row)) : "memory");
}

__device__ __forceinline__ void mma(float (&c)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ u32 bf16_pair(float low, float high) {  // rounded to nearest even
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

// The same number, but nothing computed from it is moved out of a loop to occupy registers there.
__device__ __forceinline__ int recomputed(int number) {
    asm volatile("" : "+r"(number));
    return number;
}

__device__ __forceinline__ float from_half(u16 bits) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}

#endif

template <int FORMAT>
__device__ __forceinline__ float decode(u32 bits) {
    if (FORMAT == FLOAT32) return __uint_as_float(bits);
    if (FORMAT == BFLOAT16) return __uint_as_float(bits << 16);
    return from_half((u16)bits);
}

__device__ __forceinline__ bool finite(float x) {
    return (__float_as_uint(x) & 0x7F800000u) != 0x7F800000u;
}

/* Which instructions an x86-64 processor has, and whether the operating system saves their registers on a switch of
 * context. Asked of the processor itself: the compilers' __builtin_cpu_supports reads what a run-time library has found
 * out, which some toolchains lack and others never fill in. */
#ifndef FASTMLP_PROCESSOR_H
#define FASTMLP_PROCESSOR_H

#include <cpuid.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Kinds of processors, each of which has what the one before it has. */
enum { HAS_V2 = 1, HAS_V3 = 2, HAS_V4 = 4, HAS_BFLOAT16 = 8, IS_KNOWN = 16 };

/* In the mask of registers that are saved: XMM and YMM; and with them the three parts of AVX-512. */
enum { SAVES_AVX = 0x06, SAVES_AVX512 = 0xe6 };

static inline uint32_t saved_registers(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static inline bool has_all(uint32_t features, uint32_t wanted) { return (features & wanted) == wanted; }

static inline int ask_processor(void)
{
    const uint32_t sse42_popcnt = 1u << 20 | 1u << 23;                                /* leaf 1, ECX */
    const uint32_t fma_movbe_osxsave_avx_f16c = 1u << 12 | 1u << 22 | 7u << 27;       /* leaf 1, ECX */
    const uint32_t lzcnt = 1u << 5;                                                   /* leaf 0x80000001, ECX */
    const uint32_t bmi_avx2_bmi2 = 1u << 3 | 1u << 5 | 1u << 8;                       /* leaf 7, EBX */
    const uint32_t avx512_f_dq_cd_bw_vl = 1u << 16 | 1u << 17 | 1u << 28 | 3u << 30; /* leaf 7, EBX */
    const uint32_t avx512_bf16 = 1u << 5;                                             /* leaf 7.1, EAX */
    uint32_t eax, ebx, ecx, edx, extended;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !has_all(ecx, sse42_popcnt)) return 0;
    if (!has_all(ecx, fma_movbe_osxsave_avx_f16c) || !has_all(saved_registers(), SAVES_AVX)) return HAS_V2;
    if (!__get_cpuid(0x80000001, &eax, &ebx, &extended, &edx) || !has_all(extended, lzcnt)) return HAS_V2;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !has_all(ebx, bmi_avx2_bmi2)) return HAS_V2;
    int found = HAS_V2 | HAS_V3;
    if (!has_all(ebx, avx512_f_dq_cd_bw_vl) || !has_all(saved_registers(), SAVES_AVX512)) return found;
    found |= HAS_V4;
    if (eax == 0 /* further leaves */ || !__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) return found;
    return has_all(eax, avx512_bf16) ? found | HAS_BFLOAT16 : found;
}

/* Asks once in a process: a virtual machine takes its time to answer. */
static inline bool processor_has(int kind)
{
    static atomic_int known;
    int found = atomic_load_explicit(&known, memory_order_relaxed);
    if (found == 0) {
        found = ask_processor() | IS_KNOWN;
        atomic_store_explicit(&known, found, memory_order_relaxed);
    }
    return (found & kind) != 0;
}

#endif

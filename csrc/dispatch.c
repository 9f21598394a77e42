/* Chooses the kernel table for this machine. Both the CPU and what the operating system saves on a switch of
 * context decide; the compiler's __builtin_cpu_supports asks for both. */
#include <stdbool.h>
#include <string.h>

#include "fastmlp.h"

#if defined(__x86_64__)
extern const fastmlp_kernels fastmlp_kernels_v2_f32, fastmlp_kernels_v2_f64;
extern const fastmlp_kernels fastmlp_kernels_v3_f32, fastmlp_kernels_v3_f64;
extern const fastmlp_kernels fastmlp_kernels_v4_f32, fastmlp_kernels_v4_f64;

static bool has_v2(void) { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"); }

static bool has_v3(void)
{
    return has_v2() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

static bool has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#else
extern const fastmlp_kernels fastmlp_kernels_neon_f32, fastmlp_kernels_neon_f64;
static bool always(void) { return true; }
#endif

/* Slowest first. */
static const struct {
    const char *name;
    bool (*runs_here)(void);
    const fastmlp_kernels *f32, *f64;
} variants[] = {
#if defined(__x86_64__)
    {"v2", has_v2, &fastmlp_kernels_v2_f32, &fastmlp_kernels_v2_f64},
    {"v3", has_v3, &fastmlp_kernels_v3_f32, &fastmlp_kernels_v3_f64},
    {"v4", has_v4, &fastmlp_kernels_v4_f32, &fastmlp_kernels_v4_f64},
#else
    {"neon", always, &fastmlp_kernels_neon_f32, &fastmlp_kernels_neon_f64},
#endif
};

enum { N_VARIANTS = sizeof variants / sizeof variants[0] };

const char *fastmlp_available_isa(int i)
{
    for (int k = 0; k < N_VARIANTS; k++) {
        if (variants[k].runs_here() && i-- == 0) return variants[k].name;
    }
    return NULL;
}

const fastmlp_kernels *fastmlp_find_kernels(const char *isa, int32_t real_bytes)
{
    for (int k = N_VARIANTS - 1; k >= 0; k--) {
        if (!variants[k].runs_here()) continue;
        if (isa[0] == '\0' || strcmp(isa, variants[k].name) == 0)
            return real_bytes == 4 ? variants[k].f32 : variants[k].f64;
    }
    return NULL;
}

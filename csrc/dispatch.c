/* Chooses the kernel table for this machine. */
#include <stdbool.h>
#include <string.h>

#include "fastmlp.h"

#if defined(__x86_64__)
#include "processor.h"

extern const fastmlp_kernels fastmlp_kernels_v2_f32, fastmlp_kernels_v2_f64;
extern const fastmlp_kernels fastmlp_kernels_v3_f32, fastmlp_kernels_v3_f64;
extern const fastmlp_kernels fastmlp_kernels_v4_f32, fastmlp_kernels_v4_f64, fastmlp_kernels_v4_bf16;

static bool has_v2(void) { return processor_has(HAS_V2); }
static bool has_v3(void) { return processor_has(HAS_V3); }
static bool has_v4(void) { return processor_has(HAS_V4); }
static bool has_bfloat16(void) { return processor_has(HAS_BFLOAT16); }
#else
extern const fastmlp_kernels fastmlp_kernels_neon_f32, fastmlp_kernels_neon_f64;
static bool always(void) { return true; }
#endif

static bool never(void) { return false; }

/* Slowest first. `medium` are the kernels of that precision, for machines that have the instructions. Kernels of "high"
 * would stand beside them: three products of bfloat16 pay where one takes less than a third of the time of float32,
 * as with AMX. */
static const struct {
    const char *name;
    bool (*runs_here)(void);
    const fastmlp_kernels *f32, *f64;
    bool (*runs_medium)(void);
    const fastmlp_kernels *medium;
} variants[] = {
#if defined(__x86_64__)
    {"v2", has_v2, &fastmlp_kernels_v2_f32, &fastmlp_kernels_v2_f64, never, NULL},
    {"v3", has_v3, &fastmlp_kernels_v3_f32, &fastmlp_kernels_v3_f64, never, NULL},
    {"v4", has_v4, &fastmlp_kernels_v4_f32, &fastmlp_kernels_v4_f64, has_bfloat16, &fastmlp_kernels_v4_bf16},
#else
    {"neon", always, &fastmlp_kernels_neon_f32, &fastmlp_kernels_neon_f64, never, NULL},
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

static const fastmlp_kernels *kernels_of(int k, int32_t real_bytes, int32_t precision)
{
    if (precision == FASTMLP_HIGHEST) return real_bytes == 4 ? variants[k].f32 : variants[k].f64;
    if (precision == FASTMLP_MEDIUM && real_bytes == 4 && variants[k].runs_medium()) return variants[k].medium;
    return NULL;
}

const fastmlp_kernels *fastmlp_find_kernels(const char *isa, int32_t real_bytes, int32_t precision)
{
    for (int k = N_VARIANTS - 1; k >= 0; k--) {
        if (!variants[k].runs_here()) continue;
        if (isa[0] == '\0' || strcmp(isa, variants[k].name) == 0) return kernels_of(k, real_bytes, precision);
    }
    return NULL;
}

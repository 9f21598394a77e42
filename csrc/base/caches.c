/* Asks the machine for the size of its level-2 cache. Virtual machines and C libraries are known to make sizes up, so
 * whatever is said is brought within what cores have, and the level 3, of which others take their part, does not count. */
#include "base/caches.h"

#include <stdatomic.h>

static int64_t nearest_size(int64_t said)
{
    int64_t size = FASTMLP_MOST_L2;
    if (said <= 0) return FASTMLP_USUAL_L2;
    while (size > said && size > FASTMLP_LEAST_L2) size /= 2;
    return size;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdbool.h>

/* AMD's processors describe their caches in one leaf, those of others in another; this bit tells which. */
static unsigned leaf_of_caches(void)
{
    enum { AMD_FEATURES = (int)0x80000001, TOPOLOGY_EXTENSIONS = 1 << 22 };
    unsigned a, b, c, d;
    bool amd = __get_cpuid((unsigned)AMD_FEATURES, &a, &b, &c, &d) && (c & TOPOLOGY_EXTENSIONS);
    return amd ? 0x8000001Du : 4u;
}

/* A cache that more than two threads share belongs to a cluster of cores; two threads are those of one core. */
static int64_t l2_said(void)
{
    unsigned a, b, c, d, leaf = leaf_of_caches();
    for (unsigned i = 0; __get_cpuid_count(leaf, i, &a, &b, &c, &d) && (a & 31) != 0; i++) {
        if ((a >> 5 & 7) != 2) continue;
        int64_t ways = (b >> 22) + 1, partitions = (b >> 12 & 1023) + 1, line = (b & 4095) + 1, sets = (int64_t)c + 1;
        int64_t threads = (a >> 14 & 4095) + 1;
        return ways * partitions * line * sets / (threads > 2 ? threads : 1);
    }
    return 0;
}
#else
#include <unistd.h>

static int64_t l2_said(void)
{
#ifdef _SC_LEVEL2_CACHE_SIZE
    return sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
    return 0;
#endif
}
#endif

static _Atomic int64_t l2_bytes; /* 0: nobody has asked yet */

int64_t fastmlp_l2_bytes(void)
{
    int64_t bytes = atomic_load_explicit(&l2_bytes, memory_order_relaxed), unknown = 0;
    if (bytes > 0) return bytes;
    bytes = nearest_size(l2_said());
    return atomic_compare_exchange_strong(&l2_bytes, &unknown, bytes) ? bytes : unknown;
}

void fastmlp_set_l2_bytes(int64_t bytes) { atomic_store(&l2_bytes, bytes); }

/* How large a core's level-2 cache is: what products are blocked by. It changes no bit of a result. */
#ifndef FASTMLP_CACHES_H
#define FASTMLP_CACHES_H

#include <stdint.h>

/* The sizes that are told apart, in bytes: powers of two. */
enum { FASTMLP_LEAST_L2 = 256 << 10, FASTMLP_USUAL_L2 = 1 << 20, FASTMLP_MOST_L2 = 2 << 20 };

/* The largest such size that the cache has for one core, or what was set instead. */
int64_t fastmlp_l2_bytes(void);

/* Makes `bytes`, one of these sizes, that of the cache; with 0 the machine is asked again. */
void fastmlp_set_l2_bytes(int64_t bytes);

#endif

/* The process-wide limit on threads that threadpoolctl sets; 0 when there is none. These two are the
 * only names that the extension exports beside its module init: threadpoolctl looks them up. */
#include <stdatomic.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int fastmlp_get_num_threads(void);
EXPORT void fastmlp_set_num_threads(int limit);

static atomic_int thread_limit;

int fastmlp_get_num_threads(void) { return atomic_load(&thread_limit); }
void fastmlp_set_num_threads(int limit) { atomic_store(&thread_limit, limit); }

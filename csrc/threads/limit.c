/* The process-wide limit on threads that threadpoolctl sets, or 0 if there is none. Besides the module's init,
 * these two are the only names that the extension exports, because threadpoolctl looks them up. */
#include <stdatomic.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT int fastmlp_get_num_threads(void);
EXPORT void fastmlp_set_num_threads(int limit);

static atomic_int thread_limit;

int fastmlp_get_num_threads(void) { return atomic_load(&thread_limit); }
void fastmlp_set_num_threads(int limit) { atomic_store(&thread_limit, limit); }

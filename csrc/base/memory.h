/* Memory that begins at a line of the cache, for the binding and for drivers: the core itself allocates nothing. */
#ifndef FASTMLP_MEMORY_H
#define FASTMLP_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

enum { LINE_OF_CACHE = 64 };

/* `bytes` are a multiple of LINE_OF_CACHE; NULL if there is no memory. */
static inline void *fastmlp_aligned_memory(size_t bytes)
{
#if defined(_WIN32)
    return _aligned_malloc(bytes, LINE_OF_CACHE);
#else
    return aligned_alloc(LINE_OF_CACHE, bytes);
#endif
}

static inline void fastmlp_free_aligned(void *memory /* () */)
{
#if defined(_WIN32)
    _aligned_free(memory);
#else
    free(memory);
#endif
}

#endif

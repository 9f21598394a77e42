/* Fences around the buffers that are cut from one block of memory. The build for AddressSanitizer reports
 * whoever touches one; every other build has none. */
#ifndef FASTMLP_FENCES_H
#define FASTMLP_FENCES_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { FENCE_BYTES = 64 }; /* a cache line, so that buffers stay aligned */

static inline void put_fence(void *start /* (bytes) */, size_t bytes) { __asan_poison_memory_region(start, bytes); }

/* The caller's memory may serve something else once a call has returned. */
static inline void remove_fences(void *start /* (bytes) */, size_t bytes) { __asan_unpoison_memory_region(start, bytes); }
#else
enum { FENCE_BYTES = 0 };
static inline void put_fence(void *start /* (bytes) */, size_t bytes) { (void)start, (void)bytes; }
static inline void remove_fences(void *start /* (bytes) */, size_t bytes) { (void)start, (void)bytes; }
#endif

#endif

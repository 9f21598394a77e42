/* An allocator that fails once, preloaded into a Python whose own allocator is malloc (PYTHONMALLOC=malloc): so every
 * allocation of Python, of NumPy, of the core, and of the threads that it starts may be the one. For glibc. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static atomic_long left; /* allocations up to the one that fails; none fails while it is 0 */

void fail_allocation(long number) { atomic_store(&left, number); }
long no_more_failures(void) { return atomic_exchange(&left, 0); } /* returns how many were left */

static int fails(void)
{
    if (atomic_load_explicit(&left, memory_order_relaxed) <= 0 || atomic_fetch_sub(&left, 1) != 1) return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *old, size_t n) { return fails() ? NULL : __libc_realloc(old, n); }
void *memalign(size_t alignment, size_t n) { return fails() ? NULL : __libc_memalign(alignment, n); }
void *aligned_alloc(size_t alignment, size_t n) { return memalign(alignment, n); }

int posix_memalign(void **to, size_t alignment, size_t n)
{
    void *made = memalign(alignment, n);
    if (made == NULL) return ENOMEM;
    *to = made;
    return 0;
}

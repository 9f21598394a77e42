/* Fisher & Yates from the end: element i is exchanged with one drawn from 0 … i. NumPy draws by masked rejection:
 * it takes the bits of a number below the next power of two, and draws again while the result exceeds i. */
#include "random/shuffle.h"

enum { DRAWS_AT_ONCE = 64 };

static uint32_t mask_over(uint32_t largest)
{
    return largest == 0 ? 0 : UINT32_MAX >> __builtin_clz(largest);
}

/* Draws partners (n) for the elements i, i-1, … i-n+1. A rejected draw is overwritten by the next one: a branch
 * that skips it would be mispredicted every other time. */
static void draw_partners(uint32_t (*next)(void *state), void *state, uint32_t i, int n,
                          uint32_t *partners)
{
    for (int drawn = 0; drawn < n;) {
        uint32_t limit = i - (uint32_t)drawn, draw = next(state) & mask_over(limit);
        partners[drawn] = draw;
        drawn += draw <= limit;
    }
}

void fastmlp_shuffle(uint32_t (*next)(void *state), void *state, int64_t n, int64_t *order /* (n) */)
{
    uint32_t partners[DRAWS_AT_ONCE];
    for (int64_t i = n - 1; i > 0; i -= DRAWS_AT_ONCE) {
        int count = i < DRAWS_AT_ONCE ? (int)i : DRAWS_AT_ONCE;
        draw_partners(next, state, (uint32_t)i, count, partners);
        for (int k = 0; k < count; k++) __builtin_prefetch(order + partners[k], 1);
        for (int k = 0; k < count; k++) {
            int64_t mine = order[i - k];
            order[i - k] = order[partners[k]];
            order[partners[k]] = mine;
        }
    }
}

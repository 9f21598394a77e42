/* The order of an epoch: NumPy's legacy shuffle, draw for draw. */
#ifndef FASTMLP_SHUFFLE_H
#define FASTMLP_SHUFFLE_H

#include <stdint.h>

/* Shuffles order (n), n <= 2^32, with the numbers that next(state) gives. The result, and the numbers used
 * up, are those of numpy.random.RandomState.shuffle. */
void fastmlp_shuffle(uint32_t (*next)(void *state), void *state, int64_t n, int64_t *order);

#endif

/* All kernels for one (ISA × real type). The build compiles this file once for each pair with
 *   FASTMLP_DOUBLE        0 or 1
 *   FASTMLP_VECTOR_BYTES  width of a vector register
 *   FASTMLP_ISA_NAME      e.g. v4
 * Only the table at the end has a name that the linker sees. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "fastmlp.h"
#include "fences.h"
#include "team.h"

#include "vector.inc"
#include "transpose.inc"

#include "series.inc"
#include "exponential.inc"
#include "gaussian_tail.inc"
#include "activations.inc"
#include "normalizations.inc"
#include "dropout.inc"
#include "softmax.inc"
#include "noise.inc"
#include "losses.inc"
#include "information.inc"
#include "shaping.inc"
#include "optimizers.inc"
#include "perceptron.inc"
#include "products.inc"
#include "narrow.inc"
#include "max_norm.inc"

#include "pace.inc"
#include "workspace.inc"

#include "normalized_layers.inc"
#include "network.inc"
#include "segments.inc"

#include "groups.inc"

#include "updates.inc"
#include "training.inc"

#include "inference.inc"

#include "table.inc"

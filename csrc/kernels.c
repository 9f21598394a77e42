/* All kernels for one (ISA × real type × type of operands). The build compiles this file once for each of them with
 *   FASTMLP_DOUBLE        0 or 1
 *   FASTMLP_BFLOAT16      0 or 1: what products round their operands to
 *   FASTMLP_VECTOR_BYTES  width of a vector register
 *   FASTMLP_ISA_NAME      e.g. v4
 * Only the table at the end has a name that the linker sees.
 *
 * Every file includes what it needs, so that each can be opened alone; these are the top of the house. The order in
 * which to read them is that of the folders in docs/ARCHITECTURE.md. */
#include "operations/information.inc"
#include "operations/perceptron.inc"
#include "training/training.inc"
#include "network/inference.inc"

#include "table.inc"

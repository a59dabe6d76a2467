/* Row 5: the only pointer is the value of a thread's hundredth key, which lies in a block that the C library has allocated,
 * and which the thread's control block leads to.
 * blind: control
 */
#define KEYS_BEFORE 99
#include "05_key_first.c"

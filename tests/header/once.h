/* The header twice, as in a unit that gets it by two ways: what the units of tests/header/check.sh share. */
#include <gleaner.h>
#include <gleaner.h>

#ifdef __cplusplus
extern "C" {
#endif
int other_unit(void);
#ifdef __cplusplus
}
#endif

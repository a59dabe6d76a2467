/* The headers twice, as in a unit that gets them by two ways: what the units of tests/header/check.sh share. */
#include <gleaner.h>
#include <gleaner_inline.h>
#include <gleaner.h>
#include <gleaner_inline.h>

#ifdef __cplusplus
extern "C" {
#endif
int other_unit(void);
#ifdef __cplusplus
}
#endif

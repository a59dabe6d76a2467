/* operator delete of one object twice: the names of C++, called from C.
 *
 * DOOR: gleaner_malloc
 * EXPECT: gleaner: free: freed twice: <address>, an object of 80 bytes; remove one of the two calls
 * EXIT: SIGABRT
 */
#include <stdlib.h>

void *_Znwm(size_t size);
void _ZdlPvm(void *p, size_t size);

int main(void)
{
    void *volatile p = _Znwm(64);
    _ZdlPvm(p, 64);
    _ZdlPvm(p, 64);
    return 0;
}

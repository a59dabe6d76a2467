/* Options by name: unknown ones and bad values are EINVAL, after the first allocation EBUSY; the version is the
 * header's. */
#include "check.h"

int main(void)
{
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", GLEANER_VERSION_MAJOR, GLEANER_VERSION_MINOR, GLEANER_VERSION_PATCH);
    CHECK(strcmp(gc_version(), version) == 0, "the library is %s, the header %s", gc_version(), version);

    CHECK(gc_option_set("no-such-option", "1") == EINVAL, "an unknown name was taken");
    CHECK(gc_option_set("", "") == EINVAL, "an empty name was taken");
    CHECK(gc_option_set("zeal", "many") == EINVAL, "zeal=many was taken");
    CHECK(gc_option_set("free", "sometimes") == EINVAL, "free=sometimes was taken");
    CHECK(gc_option_set("limit", "-1") == EINVAL, "limit=-1 was taken");
    CHECK(gc_option_set("limit", "64M") == 0, "limit=64M was refused");
    CHECK(gc_option_set("verify", "1") == 0, "verify=1 was refused");
    CHECK(gc_option_set("zeal", "1000") == 0, "zeal=1000 was refused");
    gc_init();
    gc_init();

    CHECK(gc_malloc(16) != NULL, "no memory");
    CHECK(stats().bytes_limit == 64 << 20, "limit=64M became %lu", (unsigned long)stats().bytes_limit);
    CHECK(gc_option_set("zeal", "0") == EBUSY, "an option was set after the first allocation");
    return 0;
}

/* Functions of the C library by the names they had in glibc 2.31, for the shared libraries.
 *
 * glibc 2.32 and 2.34 moved functions of libpthread and libdl into libc and gave them new versions beside the old ones.
 * A library linked there asks for the new ones, which 2.31 does not have.  The linker's --wrap leads our calls to these
 * jumps, which ask for the old ones: all have those.  A test looks at what the libraries ask for.
 */
#define OLD(function)                                               \
    __asm__(".symver old_" #function ", " #function "@GLIBC_2.2.5\n" \
            ".globl __wrap_" #function "\n"                          \
            ".hidden __wrap_" #function "\n"                         \
            ".type __wrap_" #function ", @function\n"                \
            "__wrap_" #function ":\n"                                \
            "jmp *old_" #function "@GOTPCREL(%rip)\n"                \
            ".size __wrap_" #function ", . - __wrap_" #function "\n")

OLD(dlsym);
OLD(dlvsym);
OLD(dladdr);
OLD(pthread_getattr_np);
OLD(pthread_attr_getstack);

/* What 04_thread_before_dlopen opens: more than there is room for beside the variables of the program. */
static __thread void *variables[1024];

void *place(void)
{
    return &variables[1000];
}

/* What 04_cached_stack opens: more than there is room for beside the variables of the program. */
static __thread void *variables[1024];

void *place(void)
{
    return &variables[1000];
}

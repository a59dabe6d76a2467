/*
 * The C++ twin's part of the waves: an object declared thread_local holds the only pointer to a chain until its
 * destructor, which the C++ runtime runs while the thread ends, checks and frees it.
 */
#include "thread_waves.h"

namespace {

struct Keeper {
    struct cell *chain = nullptr;
    uint64_t seed = 0;

    ~Keeper()
    {
        if (chain != nullptr)
            chain_end(chain, seed, "destructor of a thread_local object");
    }
};

thread_local Keeper keeper;

}  // namespace

extern "C" void thread_local_keep(struct cell *chain, uint64_t seed)
{
    keeper.chain = chain;
    keeper.seed = seed;
}

// pthread_create and its kin, redirected: each thread has objects that nothing else refers to.
#define GC_THREADS
#include "../c/check.h"
#include <gc_allocator.h>
#include <gc_cpp.h>
#include <pthread.h>
#include <vector>

struct Node : public gc {
    Node *left, *right;
    Node(Node *l, Node *r) : left(l), right(r) {}
};

static Node *tree(int depth) {
    return depth == 0 ? 0 : new Node(tree(depth - 1), tree(depth - 1));
}

static int nodes(const Node *n) {
    return n == 0 ? 0 : 1 + nodes(n->left) + nodes(n->right);
}

static void *work(void *) {
    Node *kept = tree(10);
    std::vector<Node *, traceable_allocator<Node *> > more;
    for (int i = 0; i < 50; i++) {
        more.push_back(tree(6));
        CHECK(nodes(tree(8)) == 255, "a short tree");
        if (i % 25 == 0) {
            GC_gcollect();
        }
    }
    for (size_t i = 0; i < more.size(); i++) {
        CHECK(nodes(more[i]) == 63, "tree %lu of a vector", (unsigned long)i);
    }
    CHECK(nodes(kept) == 1023, "the long tree");
    return kept;
}

static void *leave(void *) {
    pthread_exit(new Node(0, 0));
    return 0;
}

int main() {
    GC_INIT();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], 0, work, 0) == 0, "a thread");
    }
    for (int i = 0; i < 4; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0, "its end");
        CHECK(nodes(static_cast<Node *>(result)) == 1023, "its result");
    }
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, 0, leave, 0) == 0 && pthread_join(thread, &result) == 0, "one that leaves");
    CHECK(nodes(static_cast<Node *>(result)) == 1, "what it leaves");
    CHECK(pthread_create(&thread, 0, leave, 0) == 0 && pthread_detach(thread) == 0, "one that nobody waits for");
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, 0) == 0, "a mask");
    CHECK(dlopen(0, RTLD_LAZY) != 0, "dlopen");
    return 0;
}

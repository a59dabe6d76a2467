# C++ programs with threads: the standard library's at -O0 and -O2, OpenMP, TBB, and coroutines that move about.

packages='g++ libtbb-dev libboost-context-dev'
variants=(O0 O2 openmp tbb coroutines)
zeal=(10000 10000 10000 2000 2000)

prepare() {
    cat >standard.cc <<'END'
#include <any>
#include <condition_variable>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>
using namespace std;

static const int scale = stoi(getenv("scale"));
static thread_local map<int, unique_ptr<string>> own;

static long work(int seed) {
    mt19937 random(seed);
    map<string, shared_ptr<vector<int>>> table;
    for (int i = 0; i < scale * 2500; i++) {
        ostringstream key;
        key << "k" << random() % 5000;
        auto &list = table[key.str()];
        if (!list) list = make_shared<vector<int>>();
        list->push_back(i);
        own[i % 300] = make_unique<string>(to_string(i) + ", longer than what fits");
    }
    long sum = 0;
    regex pattern("k([0-9]+)([0-9])");
    smatch match;
    for (auto &entry : table) {
        for (int value : *entry.second) sum = (sum * 31 + value) % 1000003;
        if (regex_match(entry.first, match, pattern)) sum += stoi(match[2].str());
    }
    for (auto &entry : own) sum += entry.second->size();
    set<any, function<bool(const any &, const any &)>> kept([](const any &a, const any &b) {
        return any_cast<string>(a) < any_cast<string>(b);
    });
    for (int i = 0; i < 2000; i++) kept.insert(any(to_string(random() % 997) + string(40, 'z')));
    try {
        throw runtime_error(string(1000, 'q'));
    } catch (exception &e) {
        for (int i = 0; i < 1000; i++) sum += string(100 + i, 'w').size();
        sum += string(e.what()).size();
    }
    return sum + kept.size();
}

int main() {
    vector<future<long>> results;
    for (int i = 0; i < 8; i++) results.push_back(async(launch::async, work, i));
    long total = 0;
    for (auto &result : results) total += result.get();
    cout << total << "\n";
    exception_ptr caught;
    try { vector<int>().at(10); } catch (...) { caught = current_exception(); }
    cout << async(launch::deferred, work, 99).get() << "\n";
    try { rethrow_exception(caught); } catch (exception &e) { cout << e.what() << "\n"; }

    mutex lock;
    condition_variable ready;
    list<unique_ptr<string>> queue;
    bool done = false;
    long bytes = 0;
    vector<thread> threads;
    for (int i = 0; i < 2; i++)
        threads.emplace_back([&] {
            for (int k = 0; k < scale * 6000; k++) {
                lock_guard<mutex> guard(lock);
                queue.push_back(make_unique<string>(to_string(k) + "abcdefghijklmnopqrstuvwxyz"));
                ready.notify_one();
            }
        });
    for (int i = 0; i < 2; i++)
        threads.emplace_back([&] {
            unique_lock<mutex> guard(lock);
            while (ready.wait(guard, [&] { return done || !queue.empty(); }), !queue.empty()) {
                auto item = move(queue.front());
                queue.pop_front();
                guard.unlock();
                long length = item->size();
                item.reset();
                guard.lock();
                bytes += length;
            }
        });
    threads[0].join();
    threads[1].join();
    { lock_guard<mutex> guard(lock); done = true; }
    ready.notify_all();
    threads[2].join();
    threads[3].join();
    cout << bytes << "\n";
    return 2;
}
END
    cat >openmp.cc <<'END'
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>
struct node { node *left, *right; };
static node *make(int depth) {
    node *made = static_cast<node *>(malloc(sizeof(node)));
    made->left = made->right = nullptr;
    if (depth > 0) {
#pragma omp task shared(made) if (depth > 8)
        made->left = make(depth - 1);
#pragma omp task shared(made) if (depth > 8)
        made->right = make(depth - 1);
#pragma omp taskwait
    }
    return made;
}
static long count(node *tree) { return tree ? 1 + count(tree->left) + count(tree->right) : 0; }
int main() {
    const int scale = atoi(getenv("scale"));
    long nodes = 0;
    node *kept = nullptr;
#pragma omp parallel num_threads(4)
#pragma omp single
    for (int i = 0; i < scale; i++) {
        node *tree = make(14);
        nodes += count(tree);
        if (i == scale / 2) kept = tree;
    }
    printf("%ld %ld\n", nodes, count(kept));
    std::vector<std::map<int, std::string>> tables(64);
#pragma omp parallel for schedule(dynamic) num_threads(4)
    for (int i = 0; i < 64; i++)
        for (int k = 0; k < scale * 400; k++) tables[i][k * 7919 % 5003] = std::to_string(k) + std::string(k % 50, 'x');
    size_t bytes = 0;
    for (auto &table : tables)
        for (auto &entry : table) bytes += entry.second.size();
    printf("%zu\n", bytes);
    return 2;
}
END
    cat >tbb.cc <<'END'
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <tbb/tbb.h>
int main() {
    const int scale = atoi(getenv("scale"));
    tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 4);
    tbb::concurrent_hash_map<std::string, std::shared_ptr<std::string>> table;
    tbb::parallel_for(0, scale * 25000, [&](int i) {
        decltype(table)::accessor entry;
        table.insert(entry, "key" + std::to_string(i % 20011));
        if (!entry->second) entry->second = std::make_shared<std::string>();
        entry->second->push_back('a' + i % 26);
    });
    size_t bytes = 0;
    for (auto &entry : table) bytes += entry.second->size();
    printf("%zu %zu\n", table.size(), bytes);
    std::atomic<long> leaves{0};
    tbb::task_group group;
    std::function<void(int)> split = [&](int depth) {
        if (depth == 0) { leaves++; return; }
        auto kept = std::make_shared<int>(depth - 1);
        group.run([&, kept] { split(*kept); });
        group.run([&, kept] { split(*kept); });
    };
    split(13);
    group.wait();
    std::vector<std::string> words;
    for (int i = 0; i < scale * 10000; i++) words.push_back(std::to_string(i * 7919 % 100003) + ", not a short one");
    tbb::parallel_sort(words);
    printf("%ld %s %s\n", leaves.load(), words.front().c_str(), words.back().c_str());
    return 2;
}
END
    cat >coroutines.cc <<'END'
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>
namespace context = boost::context;
// Each coroutine keeps its strings on its own stack only; the stacks come from malloc or from mmap.
template <typename Stacks> static long run(Stacks stacks, int count) {
    std::vector<context::fiber> fibers;
    long sum = 0;
    for (int i = 0; i < count; i++)
        fibers.emplace_back(std::allocator_arg, stacks, [&sum, i](context::fiber &&other) {
            std::vector<std::string> list;
            for (int k = 0; k < 60; k++) {
                list.push_back(std::string(30 + k, 'a' + i % 26));
                auto made = std::make_unique<std::string>(list[k * 7 % list.size()] + std::to_string(k));
                other = std::move(other).resume();
                sum = (sum * 31 + made->size() + (*made)[0]) % 1000003;
            }
            return std::move(other);
        });
    for (bool any = true; any;) {
        any = false;
        for (auto &fiber : fibers)
            if (fiber) { fiber = std::move(fiber).resume(); any = true; }
    }
    return sum;
}
int main() {
    const int scale = atoi(getenv("scale"));
    printf("%ld\n", run(context::fixedsize_stack(32768), scale * 40));
    printf("%ld\n", run(context::protected_fixedsize_stack(32768), scale * 40));
    printf("%ld\n", run(context::pooled_fixedsize_stack(32768), scale * 40));
    std::vector<std::string> kept;
    context::fiber wanderer([&](context::fiber &&other) {
        std::vector<std::string> list;
        for (int i = 0; i < scale * 25; i++) {
            list.emplace_back(100, 'z');
            other = std::move(other).resume();
        }
        for (auto &text : list) kept.push_back(text);
        return std::move(other);
    });
    while (wanderer)
        std::thread([&] {
            std::vector<std::string> others;
            for (int k = 0; k < 200; k++) others.emplace_back(100, 'j');
            wanderer = std::move(wanderer).resume();
        }).join();
    printf("%zu %s\n", kept.size(), kept.back().c_str());
    return 2;
}
END
    g++ -std=c++17 -O0 -pthread -o O0 standard.cc
    g++ -std=c++17 -O2 -pthread -o O2 standard.cc
    g++ -std=c++17 -O2 -fopenmp -o openmp openmp.cc
    g++ -std=c++17 -O2 -pthread -o tbb tbb.cc -ltbb
    g++ -std=c++17 -O1 -pthread -o coroutines coroutines.cc -lboost_context
}

commands() {
    expect 2 "../input/$1"
}

# cmake: a script of lists, strings and regular expressions; a project of many targets configured, then built.

packages='cmake make gcc'
zeal=60000

prepare() {
    local i
    cat >script.cmake <<'END'
set(all)
foreach(i RANGE 1 ${count})
    math(EXPR n "${i} * 7919 % 10007")
    list(APPEND all "item-${n}")
    set("table_${n}" "${i}")
endforeach()
list(SORT all COMPARE NATURAL)
list(REMOVE_DUPLICATES all)
list(LENGTH all length)
list(TRANSFORM all REPLACE "item-([0-9]+)" "<\\1>")
string(JOIN "," text ${all})
string(MD5 digest "${text}")
message(STATUS "${length} ${digest}")
string(REGEX MATCHALL "<[0-9]*7>" sevens "${text}")
list(LENGTH sevens length)
message(STATUS "${length} end in 7, table_42 is ${table_42}")
function(fibonacci n result)
    if(n LESS 2)
        set(${result} ${n} PARENT_SCOPE)
        return()
    endif()
    math(EXPR a "${n} - 1")
    math(EXPR b "${n} - 2")
    fibonacci(${a} x)
    fibonacci(${b} y)
    math(EXPR z "${x} + ${y}")
    set(${result} ${z} PARENT_SCOPE)
endfunction()
fibonacci(20 f)
message(STATUS "fibonacci ${f}")
message(WARNING "planned")
END
    mkdir project
    echo 'int main(void) { return 0; }' >project/main.c
    {
        echo 'cmake_minimum_required(VERSION 3.16)'
        echo 'project(many C)'
        echo 'include(CheckIncludeFile)'
        echo 'check_include_file(stdlib.h HAVE_STDLIB)'
        for ((i = 0; i < scale * 60; i++)); do
            echo "add_library(lib$i STATIC EXCLUDE_FROM_ALL part$i.c)"
            echo "target_compile_definitions(lib$i PUBLIC PART=$i)"
            ((i == 0)) || echo "target_link_libraries(lib$i PUBLIC lib$((i / 2)))"
            echo "int part$i(void) { return PART; }" >"project/part$i.c"
        done
        echo 'add_executable(program main.c)'
        echo 'target_link_libraries(program lib7)'
    } >project/CMakeLists.txt
}

commands() {
    cmake -DHOME="$HOME" -Dcount=$((scale * 5000)) -P ../input/script.cmake
    cmake -S ../input/project -B build
    cmake --build build
    find build -name '*.make' | sort | xargs cat | md5sum
    build/program
    expect 1 cmake -S nonsense -B other
}

# Configuring and generating may tell their time.
tidy() {
    sed -E 's/ \([0-9.]+s\)$//'
}

/* numbers.c: exact integers of 63 bits and real numbers. An exact result that does not fit becomes a real. */
#include "memory.h"

#include <math.h>

static bool is_number(value v) { return is_fixnum(v) || is_real(v); }

static double need_double(value v) {
    if (!is_number(v))
        fail_type("a number", v);
    return is_fixnum(v) ? (double)fixnum_of(v) : real_of(v);
}

static value integer(intptr_t n) {
    return n >= FIXNUM_MIN && n <= FIXNUM_MAX ? fixnum(n) : real((double)n);
}

/* ---- arithmetic --------------------------------------------------------------------------------------------------- */

static value add(value a, value b) {
    if (is_fixnum(a) && is_fixnum(b))
        return integer(fixnum_of(a) + fixnum_of(b));
    double x = need_double(a), y = need_double(b);
    return real(x + y);
}

static value subtract(value a, value b) {
    if (is_fixnum(a) && is_fixnum(b))
        return integer(fixnum_of(a) - fixnum_of(b));
    double x = need_double(a), y = need_double(b);
    return real(x - y);
}

static value multiply(value a, value b) {
    intptr_t product;
    if (is_fixnum(a) && is_fixnum(b) && !__builtin_mul_overflow(fixnum_of(a), fixnum_of(b), &product))
        return integer(product);
    double x = need_double(a), y = need_double(b);
    return real(x * y);
}

/* Exact if it comes out even. */
static value divide(value a, value b) {
    double x = need_double(a), y = need_double(b);
    if (is_fixnum(b) && y == 0)
        fail("division by zero", NIL);
    if (is_fixnum(a) && is_fixnum(b) && fixnum_of(a) % fixnum_of(b) == 0)
        return integer(fixnum_of(a) / fixnum_of(b));
    return real(x / y);
}

static value fold(value (*operation)(value, value), value start, int count, value *arg) {
    for (int i = 0; i < count; i++)
        start = operation(start, arg[i]);
    return start;
}

PRIMITIVE(p_add) { return fold(add, fixnum(0), count, arg); }
PRIMITIVE(p_multiply) { return fold(multiply, fixnum(1), count, arg); }

PRIMITIVE(p_subtract) {
    return count == 1 ? subtract(fixnum(0), arg[0]) : fold(subtract, arg[0], count - 1, arg + 1);
}

PRIMITIVE(p_divide) {
    return count == 1 ? divide(fixnum(1), arg[0]) : fold(divide, arg[0], count - 1, arg + 1);
}

/* ---- comparison --------------------------------------------------------------------------------------------------- */

static int compare(value a, value b) {
    if (is_fixnum(a) && is_fixnum(b))
        return ((intptr_t)a > (intptr_t)b) - ((intptr_t)a < (intptr_t)b);
    double x = need_double(a), y = need_double(b);
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;                    /* 2: one is no number */
}

#define COMPARISON(name, condition)                                                                                    \
    PRIMITIVE(name) {                                                                                                  \
        bool holds = true;                                                                                             \
        for (int i = 0; i + 1 < count; i++) {                                                                          \
            int order = compare(arg[i], arg[i + 1]);                                                                   \
            holds = holds && (condition);                                                                              \
        }                                                                                                              \
        if (count == 1)                                                                                                \
            need_double(arg[0]);                                                                                       \
        return boolean(holds);                                                                                         \
    }
COMPARISON(p_equals, order == 0)
COMPARISON(p_less, order == -1)
COMPARISON(p_greater, order == 1)
COMPARISON(p_at_most, order == -1 || order == 0)
COMPARISON(p_at_least, order == 1 || order == 0)

/* ---- division of integers ----------------------------------------------------------------------------------------- */

enum part { QUOTIENT, REMAINDER, MODULO };

static value divide_integers(value a, value b, enum part part) {
    if (is_real(a) || is_real(b)) {
        double x = need_double(a), y = need_double(b);
        if (x != floor(x) || y != floor(y))
            fail_type("an integer", x != floor(x) ? a : b);
        double rest = part == MODULO ? x - y * floor(x / y) : fmod(x, y);
        return real(part == QUOTIENT ? trunc(x / y) : rest);
    }
    intptr_t x = need_fixnum(a), y = need_fixnum(b);
    if (y == 0)
        fail("division by zero", NIL);
    if (part == QUOTIENT)
        return integer(x / y);
    intptr_t rest = x % y;
    return fixnum(part == MODULO && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
}

PRIMITIVE(p_quotient) {
    return divide_integers(arg[0], arg[1], QUOTIENT);
}

PRIMITIVE(p_remainder) {
    return divide_integers(arg[0], arg[1], REMAINDER);
}

PRIMITIVE(p_modulo) {
    return divide_integers(arg[0], arg[1], MODULO);
}

/* ---- functions of one number -------------------------------------------------------------------------------------- */

static value exact(double d, value v) {
    if (d != trunc(d) || d < (double)FIXNUM_MIN || d > (double)FIXNUM_MAX - 512)
        fail_type("a number with an exact equal", v);
    return fixnum((intptr_t)d);
}

#define ROUNDING(name, function)                                                                                       \
    PRIMITIVE(name) {                                                                                                  \
        return is_fixnum(arg[0]) ? arg[0] : real(function(need_double(arg[0])));                                       \
    }
ROUNDING(p_floor, floor)
ROUNDING(p_ceiling, ceil)
ROUNDING(p_truncate, trunc)
ROUNDING(p_round, nearbyint)

#define FUNCTION(name, function)                                                                                       \
    PRIMITIVE(name) {                                                                                                  \
        return real(function(need_double(arg[0])));                                                                    \
    }
FUNCTION(p_exp, exp)
FUNCTION(p_log, log)
FUNCTION(p_sin, sin)
FUNCTION(p_cos, cos)

PRIMITIVE(p_sqrt) {
    double root = sqrt(need_double(arg[0]));
    return is_fixnum(arg[0]) && root == floor(root) ? fixnum((intptr_t)root) : real(root);
}

PRIMITIVE(p_atan) {
    double d = need_double(arg[0]);
    return real(count == 1 ? atan(d) : atan2(d, need_double(arg[1])));
}

PRIMITIVE(p_pow) { return real(pow(need_double(arg[0]), need_double(arg[1]))); }

PRIMITIVE(p_exact) {
    return is_fixnum(arg[0]) ? arg[0] : exact(need_double(arg[0]), arg[0]);
}

PRIMITIVE(p_inexact) {
    return is_real(arg[0]) ? arg[0] : real(need_double(arg[0]));
}

/* ---- questions ---------------------------------------------------------------------------------------------------- */

#define QUESTION(name, condition)                                                                                      \
    PRIMITIVE(name) {                                                                                                  \
        value v = arg[0];                                                                                              \
        return boolean(condition);                                                                                     \
    }
QUESTION(p_is_number, is_number(v))
QUESTION(p_is_integer, is_fixnum(v) || (is_real(v) && real_of(v) == floor(real_of(v)) && isfinite(real_of(v))))
QUESTION(p_is_exact_integer, is_fixnum(v))
QUESTION(p_is_real, is_real(v))
QUESTION(p_is_zero, need_double(v) == 0)

static int radix_of(int count, value *arg) {
    intptr_t radix = count > 1 ? need_fixnum(arg[1]) : 10;
    if (radix < 2 || radix > 36)
        fail_with("bad radix", arg[1]);
    return (int)radix;
}

PRIMITIVE(p_number_to_string) {
    char text[72];
    need_double(arg[0]);
    format_number(arg[0], radix_of(count, arg), text);
    return make_text(text);
}

PRIMITIVE(p_string_to_number) {
    need(T_STRING, arg[0], "a string");
    return parse_number(bytes_of(arg[0]), length_of(arg[0]), radix_of(count, arg));
}

void define_numbers(void) {
    static const struct table_entry entries[] = {
        {"+", p_add, 0, -1}, {"*", p_multiply, 0, -1}, {"-", p_subtract, 1, -1}, {"/", p_divide, 1, -1},
        {"=", p_equals, 1, -1}, {"<", p_less, 1, -1}, {">", p_greater, 1, -1}, {"<=", p_at_most, 1, -1},
        {">=", p_at_least, 1, -1}, {"quotient", p_quotient, 2, 2}, {"remainder", p_remainder, 2, 2},
        {"modulo", p_modulo, 2, 2}, {"floor", p_floor, 1, 1}, {"ceiling", p_ceiling, 1, 1},
        {"truncate", p_truncate, 1, 1}, {"round", p_round, 1, 1}, {"exp", p_exp, 1, 1}, {"sin", p_sin, 1, 1},
        {"cos", p_cos, 1, 1}, {"sqrt", p_sqrt, 1, 1}, {"log", p_log, 1, 1}, {"atan", p_atan, 1, 2},
        {"%pow", p_pow, 2, 2}, {"exact", p_exact, 1, 1}, {"inexact", p_inexact, 1, 1},
        {"number?", p_is_number, 1, 1}, {"integer?", p_is_integer, 1, 1}, {"exact-integer?", p_is_exact_integer, 1, 1},
        {"%real?", p_is_real, 1, 1}, {"zero?", p_is_zero, 1, 1},
        {"number->string", p_number_to_string, 1, 2}, {"string->number", p_string_to_number, 1, 2},
    };
    DEFINE_ALL(entries);
}

/* numbers.c: exact integers of 63 bits and real numbers. An exact result that does not fit becomes a real. */
#include "memory.h"

#include <math.h>

static bool is_number(value v) { return is_fixnum(v) || is_real(v); }

static value integer(intptr_t n) { return n >= FIXNUM_MIN && n <= FIXNUM_MAX ? fixnum(n) : real((double)n); }

/* ---- arithmetic --------------------------------------------------------------------------------------------------- */

#define OPERATION(name, overflows, operator)                                                                           \
    static value name(value a, value b) {                                                                              \
        intptr_t n;                                                                                                    \
        if (is_fixnum(a) && is_fixnum(b) && !overflows(fixnum_of(a), fixnum_of(b), &n))                                \
            return integer(n);                                                                                         \
        double x = need_double(a), y = need_double(b);                                                                 \
        return real(x operator y);                                                                                     \
    }
OPERATION(add, __builtin_add_overflow, +)
OPERATION(subtract, __builtin_sub_overflow, -)
OPERATION(multiply, __builtin_mul_overflow, *)

/* Exact if it comes out even. */
static value divide(value a, value b) {
    double x = need_double(a), y = need_double(b);
    if (is_fixnum(b) && y == 0)
        fail("division by zero", NIL);
    if (is_fixnum(a) && is_fixnum(b) && fixnum_of(a) % fixnum_of(b) == 0)
        return integer(fixnum_of(a) / fixnum_of(b));
    return real(x / y);
}

/* From left to right; one number alone follows `alone`. */
static value fold(value (*operation)(value, value), intptr_t alone, int count, value *arg) {
    value v = count > 1 ? arg[0] : fixnum(alone);
    for (int i = count > 1; i < count; i++)
        v = operation(v, arg[i]);
    return v;
}

PRIMITIVE(p_add, "+", 0, -1) { return fold(add, 0, count, arg); }
PRIMITIVE(p_subtract, "-", 1, -1) { return fold(subtract, 0, count, arg); }
PRIMITIVE(p_multiply, "*", 0, -1) { return fold(multiply, 1, count, arg); }
PRIMITIVE(p_divide, "/", 1, -1) { return fold(divide, 1, count, arg); }

/* ---- comparison --------------------------------------------------------------------------------------------------- */

static int compare(value a, value b) {
    if (is_fixnum(a) && is_fixnum(b))
        return ((intptr_t)a > (intptr_t)b) - ((intptr_t)a < (intptr_t)b);
    double x = need_double(a), y = need_double(b);
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;                    /* 2: one is no number */
}

#define COMPARISON(fn, name, condition)                                                                                \
    PRIMITIVE(fn, name, 1, -1) {                                                                                       \
        bool holds = true;                                                                                             \
        need_double(arg[0]);                                                                                           \
        for (int i = 0; i + 1 < count; i++) {                                                                          \
            int order = compare(arg[i], arg[i + 1]);                                                                   \
            holds = holds && (condition);                                                                              \
        }                                                                                                              \
        return boolean(holds);                                                                                         \
    }
COMPARISON(p_equals, "=", order == 0)
COMPARISON(p_less, "<", order == -1)
COMPARISON(p_greater, ">", order == 1)
COMPARISON(p_at_most, "<=", order == -1 || order == 0)
COMPARISON(p_at_least, ">=", order == 1 || order == 0)

/* ---- division of integers, exact or not --------------------------------------------------------------------------- */

static intptr_t quotient(intptr_t a, intptr_t b) { return a / b; }
static intptr_t remainder_of(intptr_t a, intptr_t b) { return a % b; }
static intptr_t modulo(intptr_t a, intptr_t b) { return a % b != 0 && (a % b < 0) != (b < 0) ? a % b + b : a % b; }
static double real_quotient(double a, double b) { return trunc(a / b); }
static double real_modulo(double a, double b) { return a - b * floor(a / b); }

#define DIVISION(fn, name, exactly, really)                                                                            \
    PRIMITIVE(fn, name, 2, 2) {                                                                                        \
        if (is_fixnum(arg[0]) && is_fixnum(arg[1]) && arg[1] != fixnum(0))                                             \
            return integer(exactly(fixnum_of(arg[0]), fixnum_of(arg[1])));                                             \
        double x = need_double(arg[0]), y = need_double(arg[1]);                                                       \
        if (x != floor(x) || y != floor(y))                                                                            \
            fail_type("an integer", x != floor(x) ? arg[0] : arg[1]);                                                  \
        if (arg[1] == fixnum(0))                                                                                       \
            fail("division by zero", NIL);                                                                             \
        return real(really(x, y));                                                                                     \
    }
DIVISION(p_quotient, "quotient", quotient, real_quotient)
DIVISION(p_remainder, "remainder", remainder_of, fmod)
DIVISION(p_modulo, "modulo", modulo, real_modulo)

/* ---- functions of one number -------------------------------------------------------------------------------------- */

#define ROUNDING(fn, name, function)                                                                                   \
    PRIMITIVE(fn, name, 1, 1) { return is_fixnum(arg[0]) ? arg[0] : real(function(need_double(arg[0]))); }
ROUNDING(p_floor, "floor", floor)
ROUNDING(p_ceiling, "ceiling", ceil)
ROUNDING(p_truncate, "truncate", trunc)
ROUNDING(p_round, "round", nearbyint)

#define FUNCTION(fn, name, function)                                                                                   \
    PRIMITIVE(fn, name, 1, 1) { return real(function(need_double(arg[0]))); }
FUNCTION(p_exp, "exp", exp)
FUNCTION(p_log, "log", log)
FUNCTION(p_sin, "sin", sin)
FUNCTION(p_cos, "cos", cos)
FUNCTION(p_inexact, "inexact", (double))

PRIMITIVE(p_sqrt, "sqrt", 1, 1) {
    double root = sqrt(need_double(arg[0]));
    return is_fixnum(arg[0]) && root == floor(root) ? fixnum((intptr_t)root) : real(root);
}

PRIMITIVE(p_atan, "atan", 1, 2) {
    double d = need_double(arg[0]);
    return real(count == 1 ? atan(d) : atan2(d, need_double(arg[1])));
}

PRIMITIVE(p_pow, "%pow", 2, 2) { return real(pow(need_double(arg[0]), need_double(arg[1]))); }

PRIMITIVE(p_exact, "exact", 1, 1) {
    double d = need_double(arg[0]);
    if (is_fixnum(arg[0]))
        return arg[0];
    if (d != trunc(d) || d < (double)FIXNUM_MIN || d > (double)FIXNUM_MAX - 512)
        fail_type("a number with an exact equal", arg[0]);
    return fixnum((intptr_t)d);
}

/* ---- questions, and numbers as texts ------------------------------------------------------------------------------ */

QUESTION(p_is_number, "number?", is_number(v))
QUESTION(p_is_integer, "integer?", is_number(v) && floor(need_double(v)) == need_double(v) && isfinite(need_double(v)))
QUESTION(p_is_exact_integer, "exact-integer?", is_fixnum(v))
QUESTION(p_is_real, "%real?", is_real(v))
QUESTION(p_is_zero, "zero?", need_double(v) == 0)

static int radix_of(int count, value *arg) {
    intptr_t radix = count > 1 ? need_fixnum(arg[1]) : 10;
    if (radix < 2 || radix > 36)
        fail("bad radix", LIST(arg[1]));
    return (int)radix;
}

PRIMITIVE(p_number_to_string, "number->string", 1, 2) {
    char text[72];
    need_double(arg[0]);
    format_number(arg[0], radix_of(count, arg), text);
    return make_text(text);
}

PRIMITIVE(p_string_to_number, "string->number", 1, 2) {
    return parse_number(bytes_of(need(T_STRING, arg[0])), length_of(arg[0]), radix_of(count, arg));
}

# tclsh: dictionaries, lists, strings, regular expressions, procedures, errors and coroutines.

packages=tcl
zeal=25000

prepare() {
    cat >program.tcl <<'END'
set scale $env(scale)
set seed 42
proc random {n} { global seed; set seed [expr {$seed * 16807 % 2147483647}]; return [expr {$seed % $n}] }
set table {}
for {set i 0} {$i < $scale * 100000} {incr i} {
    dict lappend table "key[random 80021]" [random 1000]
}
puts "[dict size $table] keys"
set sums {}
dict for {key values} $table { lappend sums [list $key [tcl::mathop::+ {*}$values]] }
set sums [lsort -index 0 [lsort -integer -decreasing -index 1 $sums]]
puts "[lindex $sums 0] [lindex $sums end]"
set text {}
for {set i 0} {$i < $scale * 40000} {incr i} { append text "item $i = [random 100];" }
puts [regexp -all {item \d+ = (\d+);} $text]
puts [string length [regsub -all {(\d+)} $text {<\1>}]]
puts [llength [lsort -unique [split $text ";= "]]]
array set cache {}
proc fib {n} {
    global cache
    if {[info exists cache($n)]} { return $cache($n) }
    set cache($n) [expr {$n < 2 ? $n : [fib [expr {$n - 1}]] + [fib [expr {$n - 2}]]}]
}
puts [fib 300]
proc generator {n} { yield; for {set i 0} {$i < $n} {incr i} { yield [string repeat x [expr {$i % 50}]] } }
coroutine next generator [expr {$scale * 40000}]
set total 0
for {set i 0} {$i < $scale * 40000} {incr i} { incr total [string length [next]] }
puts $total
catch {error "planned" {} {CODE 7}} message options
puts "$message [dict get $options -errorcode]"
puts stderr "warned"
set parts [lmap x [lrange [split $text ";"] 0 end-1] { lindex [split $x " "] end }]
puts [tcl::mathop::+ {*}$parts]
exit 5
END
}

commands() {
    expect 5 tclsh ../input/program.tcl
}

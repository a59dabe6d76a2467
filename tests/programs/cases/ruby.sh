# ruby: hashes, strings, threads, fibers, enumerators, processes, its own collector, and buffers in packed structures.

packages=ruby
zeal=20000

prepare() {
    cat >program.rb <<'END'
require 'json'
require 'set'
require 'timeout'
require 'zlib'
scale = ENV['scale'].to_i
table = Hash.new { |hash, key| hash[key] = [] }
(scale * 25_000).times { |i| table["key#{i * 7919 % 50_021}"] << [i, i.to_s * 3] }
puts table.size, table.values.flatten(1).sum(&:first)
text = (1..scale * 10_000).map { |i| "w#{i % 977}" }.join(' ')
p text.scan(/w\d+/).tally.sort_by { |word, count| [-count, word] }.first(3)
puts text.gsub(/w(\d)/) { "<#{$1}>" }.size
threads = 4.times.map do |t|
  Thread.new do
    kept = []
    (scale * 5000).times { |i| kept << "#{t}-#{i}"; kept.shift if kept.size > 1000 }
    kept.join.sum
  end
end
p threads.map(&:value)
items = Enumerator.new { |out| (scale * 4000).times { |i| out << "item#{i}" } }
total = 0
loop { total += items.next.size }
puts total
fibers = 200.times.map do |i|
  Fiber.new { list = []; 50.times { |k| list << "#{i}#{k}"; Fiber.yield list.size }; list.join.size }
end
puts 51.times.sum { fibers.sum { |fiber| fiber.alive? ? fiber.resume : 0 } }
GC.start
GC.compact
p JSON.parse(JSON.generate(table.first(5000).to_h)).size, Set.new((1..50_000).map { |i| i % 997 }).size
Process.wait(fork { exit((1..20_000).map(&:to_s).size == 20_000 ? 3 : 4) })
puts $?.exitstatus, `echo child`
reader, writer = IO.pipe
thread = Thread.new { (scale * 2000).times { |i| writer.puts "line #{i}" }; writer.close }
puts reader.each_line.sum(&:size)
thread.join
File.open('lines', 'w') { |file| (scale * 20_000).times { |i| file.puts "line #{i} " + 'x' * (i % 60) } }
puts File.foreach('lines').sum { |line| (line + line).size }
begin
  Timeout.timeout(0.05) { loop { 'x' * 100 } }
rescue Timeout::Error
  puts 'timeout'
end
puts Zlib::Inflate.inflate(Zlib::Deflate.deflate(text)) == text, (2**5000).to_s.size
warn 'warned'
exit 3
END
}

commands() {
    expect 3 ruby ../input/program.rb
}

# Much of the standard library at once: collections, strings, JSON, big numbers, fibers and channels, digests, time, templates.
require "json"
require "big"
require "csv"
require "digest/sha256"
require "base64"
require "uri"
require "option_parser"
require "string_scanner"
require "set"
require "deque"
require "complex"
require "weak_ref"

SCALE = ENV.fetch("scale", "8").to_i

class Node
  getter left : Node?
  getter right : Node?

  def initialize(depth : Int32)
    if depth > 0
      @left = Node.new(depth - 1)
      @right = Node.new(depth - 1)
    end
  end

  def count : Int32
    1 + (@left.try(&.count) || 0) + (@right.try(&.count) || 0)
  end
end

record Order, id : Int32, customer : String, items : Array(String), total : Float64 do
  include JSON::Serializable
end

class Closed
  class_property finalized = Atomic(Int32).new(0)

  def initialize(@text : String)
  end

  def finalize
    @@finalized.add(1)
  end
end

def trees
  kept = Node.new(16)
  sum = 0
  (SCALE * 150).times { sum += Node.new(13).count }
  puts "trees #{sum} #{kept.count}"
end

def text
  words = Hash(String, Int32).new(0)
  random = Random.new(42)
  (SCALE * 300_000).times { |i| words["word#{(i.to_i64 * 7919) % 5003}"] += i }
  csv = CSV.build { |to| words.first(2000).each { |word, count| to.row word, count, "quoted \"text\"" } }
  rows = CSV.parse(csv)
  puts "text #{words.size} #{rows.size} #{rows.sum { |row| row[0].size }} #{csv.gsub(/word(\d+)/) { |_, m| m[1] }.size}"
  longest = (1..SCALE * 1000).map { |i| words.keys.first(100).shuffle(random).join(", ") }.max_by(&.size)
  puts "joined #{longest.size} #{Base64.strict_encode(longest).size} #{Digest::SHA256.hexdigest(longest.chars.sort.join)}"
end

def json
  sum = 0.0
  (SCALE * 30).times do |round|
    orders = (1..800).map { |i| Order.new(i, "customer #{i % 37}", (0...i % 9).map { |k| "item #{k}" }, i * 1.25 + round) }
    back = Array(Order).from_json(orders.to_json)
    any = JSON.parse(orders.to_pretty_json)
    sum += back.group_by(&.customer).values.sum { |group| group.sum(&.total) } + any.as_a.sum { |order| order["items"].size }
  end
  puts "json #{sum}"
end

def fibers
  requests = Channel(Array(Int32)).new(16)
  answers = Channel(Int64).new
  100.times { spawn { while list = requests.receive?; answers.send(list.map(&.to_i64).sum { |n| n.to_s.size.to_i64 * n }); end } }
  spawn { (SCALE * 15_000).times { |i| requests.send((i % 10..i % 10 + 40).to_a) }; requests.close }
  sum = 0_i64
  (SCALE * 15_000).times { sum += answers.receive }
  puts "fibers #{sum}"
  depth = ->(n : Int32) { n }
  200.times { |k| inner = depth; depth = ->(n : Int32) { Fiber.yield if n == k; inner.call(n) + 1 } }
  done = Channel(Int32).new
  (SCALE * 250).times { |i| spawn { done.send(depth.call(i % 200)) } }
  puts "deep #{(1..SCALE * 250).sum { done.receive }}"
end

def numbers
  product = BigInt.new(1)
  (1..1000).each { |i| product *= i }
  a, b = BigInt.new(0), BigInt.new(1)
  (SCALE * 20_000).times { |i| a, b = b, (i % 4000 == 0 ? BigInt.new(1) : a + b) }
  puts "numbers #{product.to_s.size} #{b % 1_000_007} #{(BigRational.new(1, 3) + BigRational.new(1, 7))}"
end

def finalizers
  (SCALE * 20_000).times { |i| Closed.new("closed #{i}") }
  3.times { GC.collect }
  puts "most finalized #{Closed.finalized.get > SCALE * 10_000} none twice #{Closed.finalized.get <= SCALE * 20_000}"
end

trees
text
json
fibers
numbers
finalizers

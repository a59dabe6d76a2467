-- Strings: short ones that are interned, long ones that are not, patterns, buffers, packing.
local scale = tonumber(arg[1]) or 1

local seen, distinct = {}, 0
for i = 1, 150000 * scale do
  local s = "key" .. (i * 7919 % 60000)
  if not seen[s] then seen[s] = true distinct = distinct + 1 end
end
print("distinct", distinct)
seen = nil

local hash = 0
for i = 1, 200000 * scale do
  local s = string.format("%d:%s", i, "x")
  hash = (hash * 31 + #s + s:byte(1)) % 1000000007
end
print("short garbage", hash)

local parts = {}
for i = 1, 20000 do parts[#parts + 1] = tostring(i) end
local text = table.concat(parts, ",")
print("concat", #text)
local digits = 0
for d in text:gmatch("%d+") do digits = digits + #d end
print("gmatch", digits)
print("gsub", select(2, text:gsub("(%d)(%d)", "%2%1")))
print("reverse", text:reverse():sub(1, 20))

-- Long strings as keys are equal by their contents.
local long = ("abcdefghij"):rep(30)
local t = { [long] = 1 }
print("long key", t[("abcdefghij"):rep(15) .. ("abcdefghij"):rep(15)])

local grown = ""
for i = 1, 3000 do grown = grown .. string.char(65 + i % 26) end
print("grown", #grown, grown:sub(-5))

local packed = string.pack("<i4dz", 42, 1.5, "hello")
print("packed", #packed, string.unpack("<i4dz", packed))
print("utf8", utf8.char(228, 8364, 128512), utf8.len("äöü€"))
print("format", ("%5.2f|%-8s|%08x|%q"):format(3.14159, "left", 48879, "a\nb"))
print("compare", "a" < "b", "abc" < "abd", "Z" < "a", "" < "a")
print("coerce", "10" + 5, 10 .. 20, "0x10" + 0, math.type("3" * 1))

local function rot13(s)
  return (s:gsub("%a", function(c)
    local base = c:match("%l") and 97 or 65
    return string.char((c:byte() - base + 13) % 26 + base)
  end))
end
local s = "The Quick Brown Fox"
for _ = 1, 2000 * scale do s = rot13(s) end
print("rot13", s)

local big = 0
for i = 1, 300 * scale do
  local line = ("line %d "):format(i):rep(200)
  big = big + #line:upper()
end
print("long garbage", big)

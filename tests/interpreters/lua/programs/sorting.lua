-- Sorting, by the library and by hand, with comparisons that allocate.
local scale = tonumber(arg[1]) or 1
local seed = 42
local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648 return seed % n end

local numbers = {}
for i = 1, 60000 * scale do numbers[i] = random(1000000) end
table.sort(numbers)
local ordered = true
for i = 2, #numbers do if numbers[i - 1] > numbers[i] then ordered = false end end
print("numbers", ordered, #numbers)

local words = {}
for i = 1, 10000 * scale do words[i] = ("w%05d"):format(random(100000)) end
table.sort(words, function(a, b) return a > b end)
ordered = true
for i = 2, #words do if words[i - 1] < words[i] then ordered = false end end
print("words", ordered)

local people = {}
for i = 1, 5000 * scale do people[i] = { age = random(90), name = "p" .. random(10000) } end
table.sort(people, function(a, b) return a.age .. "/" .. a.name < b.age .. "/" .. b.name end)
print("records", people[1].age, people[#people].age)

local function merge_sort(list)
  if #list <= 1 then return list end
  local middle, left, right = #list // 2, {}, {}
  for i = 1, middle do left[i] = list[i] end
  for i = middle + 1, #list do right[#right + 1] = list[i] end
  left, right = merge_sort(left), merge_sort(right)
  local out, i, j = {}, 1, 1
  while i <= #left or j <= #right do
    if j > #right or i <= #left and left[i] <= right[j] then
      out[#out + 1] = left[i] i = i + 1
    else
      out[#out + 1] = right[j] j = j + 1
    end
  end
  return out
end
local list = {}
for i = 1, 20000 * scale do list[i] = random(100000) end
local sorted = merge_sort(list)
ordered = true
for i = 2, #sorted do if sorted[i - 1] > sorted[i] then ordered = false end end
print("merge sort", ordered, #sorted)
print("invalid order", pcall(table.sort, { 1, 2, 3, 4, 5, 6 }, function() error("compared", 0) end))

-- Computing: queens, sieve, matrix product, life, spectral norm, towers.
local scale = tonumber(arg[1]) or 1

local function queens(n)
  local found, columns, up, down = 0, {}, {}, {}
  local function place(row)
    if row > n then found = found + 1 return end
    for c = 1, n do
      if not (columns[c] or up[row + c] or down[row - c + n]) then
        columns[c], up[row + c], down[row - c + n] = true, true, true
        place(row + 1)
        columns[c], up[row + c], down[row - c + n] = nil, nil, nil
      end
    end
  end
  place(1)
  return found
end
print("queens", queens(scale < 1 and 6 or 8))

local function sieve(n)
  local composite, primes = {}, {}
  for i = 2, n do
    if not composite[i] then
      primes[#primes + 1] = i
      for j = i * i, n, i do composite[j] = true end
    end
  end
  return primes
end
local primes = sieve(200000 * scale // 1)
print("primes", #primes, primes[#primes])

local function matrix(n, f)
  local m = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do row[j] = f(i, j) end
    m[i] = row
  end
  return m
end
local n = scale < 1 and 30 or 90
local a, b = matrix(n, function(i, j) return i + j end), matrix(n, function(i, j) return i - j end)
local product = matrix(n, function(i, j)
  local s = 0
  for k = 1, n do s = s + a[i][k] * b[k][j] end
  return s
end)
print("matrix", product[1][1], product[n][n], product[n // 2][7])

local function life(cells)
  local near = {}
  for key in pairs(cells) do
    local x, y = key:match("(-?%d+),(-?%d+)")
    for dx = -1, 1 do
      for dy = -1, 1 do
        if dx ~= 0 or dy ~= 0 then
          local k = (x + dx) .. "," .. (y + dy)
          near[k] = (near[k] or 0) + 1
        end
      end
    end
  end
  local after = {}
  for key, count in pairs(near) do
    if count == 3 or count == 2 and cells[key] then after[key] = true end
  end
  return after
end
local cells = {}
for _, key in ipairs({ "1,0", "2,0", "0,1", "1,1", "1,2" }) do cells[key] = true end
local generations = scale < 1 and 20 or 100
for _ = 1, generations do cells = life(cells) end
local alive = 0
for _ in pairs(cells) do alive = alive + 1 end
print("life", generations, alive)

local function norm(size)
  local function a(i, j) return 1 / ((i + j) * (i + j + 1) // 2 + i + 1) end
  local function times(v, transposed)
    local r = {}
    for i = 0, size - 1 do
      local s = 0
      for j = 0, size - 1 do s = s + (transposed and a(j, i) or a(i, j)) * v[j] end
      r[i] = s
    end
    return r
  end
  local u, v = {}, nil
  for i = 0, size - 1 do u[i] = 1 end
  for _ = 1, 5 do v = times(times(u), true) u = times(times(v), true) end
  local uv, vv = 0, 0
  for i = 0, size - 1 do uv = uv + u[i] * v[i] vv = vv + v[i] * v[i] end
  return math.sqrt(uv / vv)
end
print("norm", ("%.9f"):format(norm(scale < 1 and 20 or 100)))

local moves = 0
local function hanoi(k, from, to, via)
  if k == 0 then return end
  hanoi(k - 1, from, via, to)
  to[#to + 1] = table.remove(from)
  moves = moves + 1
  hanoi(k - 1, via, to, from)
end
local from, to = {}, {}
for i = 12, 1, -1 do from[#from + 1] = i end
hanoi(12, from, to, {})
print("hanoi", moves, #to, to[1])

-- A long-lived structure with churn: least recently used map, doubly linked list, ring of buffers.
local scale = tonumber(arg[1]) or 1
local seed = 7
local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648 return (seed >> 8) % n end

local capacity = 5000
local map, size, head, tail = {}, 0, nil, nil
local function unlink(e)
  if e.previous then e.previous.next = e.next else head = e.next end
  if e.next then e.next.previous = e.previous else tail = e.previous end
end
local function push(e)
  e.previous, e.next = nil, head
  if head then head.previous = e end
  head = e
  tail = tail or e
end
local hits, evicted = 0, 0
for i = 1, 150000 * scale do
  local key = "user" .. random(9000)
  local e = map[key]
  if e then
    hits = hits + 1
    unlink(e)
    push(e)
  else
    if size == capacity then
      map[tail.key] = nil
      unlink(tail)
      evicted = evicted + 1
      size = size - 1
    end
    e = { key = key, value = { i, key .. "!" } }
    map[key] = e
    push(e)
    size = size + 1
  end
end
print("lru", hits, evicted, size)
local walked, e = 0, head
while e do walked = walked + 1 e = e.next end
print("list", walked)

local ring = {}
for i = 1, 64 do ring[i] = "" end
local bytes = 0
for i = 1, 3000 * scale do
  ring[i % 64 + 1] = ("%d"):format(i):rep(400)
  bytes = bytes + #ring[(i * 7) % 64 + 1]
end
print("ring", bytes)

-- A graph with cycles, rebuilt again and again.
local reached = 0
for _ = 1, 20 * scale do
  local nodes = {}
  for i = 1, 500 do nodes[i] = { edges = {} } end
  for i = 1, 500 do
    for _ = 1, 4 do nodes[i].edges[#nodes[i].edges + 1] = nodes[1 + random(500)] end
  end
  local stack = { nodes[1] }
  while #stack > 0 do
    local node = table.remove(stack)
    if not node.seen then
      node.seen = true
      reached = reached + 1
      for _, to in ipairs(node.edges) do stack[#stack + 1] = to end
    end
  end
end
print("graph", reached)

-- A JSON encoder and decoder, there and back.
local scale = tonumber(arg[1]) or 1

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t" }
local function encode(v, out)
  local kind = type(v)
  if kind == "table" then
    if #v > 0 or next(v) == nil then
      out[#out + 1] = "["
      for i, x in ipairs(v) do
        if i > 1 then out[#out + 1] = "," end
        encode(x, out)
      end
      out[#out + 1] = "]"
    else
      local keys = {}
      for k in pairs(v) do keys[#keys + 1] = k end
      table.sort(keys)
      out[#out + 1] = "{"
      for i, k in ipairs(keys) do
        if i > 1 then out[#out + 1] = "," end
        encode(k, out)
        out[#out + 1] = ":"
        encode(v[k], out)
      end
      out[#out + 1] = "}"
    end
  elseif kind == "string" then
    out[#out + 1] = '"' .. v:gsub('["\\\n\t]', escapes) .. '"'
  else
    out[#out + 1] = tostring(v)
  end
  return out
end

local names = { n = "\n", t = "\t", ['"'] = '"', ["\\"] = "\\" }
local function decode(s)
  local at = 1
  local value
  local function skip() at = s:find("%S", at) or #s + 1 end
  local function text()
    local parts = {}
    at = at + 1
    while true do
      local stop = s:find('["\\]', at)
      parts[#parts + 1] = s:sub(at, stop - 1)
      if s:byte(stop) == 34 then at = stop + 1 return table.concat(parts) end
      parts[#parts + 1] = names[s:sub(stop + 1, stop + 1)]
      at = stop + 2
    end
  end
  function value()
    skip()
    local c = s:sub(at, at)
    if c == "{" then
      local t = {}
      at = at + 1
      skip()
      while s:sub(at, at) ~= "}" do
        skip()
        local k = text()
        skip()
        at = at + 1
        t[k] = value()
        skip()
        if s:sub(at, at) == "," then at = at + 1 end
      end
      at = at + 1
      return t
    elseif c == "[" then
      local t = {}
      at = at + 1
      skip()
      while s:sub(at, at) ~= "]" do
        t[#t + 1] = value()
        skip()
        if s:sub(at, at) == "," then at = at + 1 end
      end
      at = at + 1
      return t
    elseif c == '"' then
      return text()
    end
    local word = s:match("^[%w%.%-%+]+", at)
    at = at + #word
    if word == "true" then return true elseif word == "false" then return false end
    return tonumber(word)
  end
  return value()
end

local people = {}
for i = 1, 400 do
  people[i] = {
    id = i, name = "name " .. i, tags = { "a" .. i % 7, "b\t" .. i % 5, 'quoted "' .. i .. '"' },
    score = i / 4, active = i % 2 == 0, nested = { deep = { deeper = { i, i + 1, {} } } },
  }
end
local first = table.concat(encode(people, {}))
local same = 0
for _ = 1, math.max(1, 12 * scale // 1) do
  if table.concat(encode(decode(first), {})) == first then same = same + 1 end
end
print("bytes", #first, "same", same == math.max(1, 12 * scale // 1))
print(first:sub(1, 160))

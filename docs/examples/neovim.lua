-- devloop in Neovim (0.7 or later): problems as diagnostics, and a word for the status line.
-- Put it into your configuration as lua/devloop.lua; then: require('devloop').start('/home/me/shop')
local M = { status = 'devloop: off' }
local namespace = vim.api.nvim_create_namespace('devloop')
local views, marked = {}, {}

local function show()
  local found = {}
  local function add(subject, severity, problem)
    if not problem or problem == vim.NIL or not problem.where then return end
    local file = problem.where.file
    found[file] = found[file] or {}
    table.insert(found[file], {
      lnum = problem.where.line - 1, -- Neovim counts from 0
      col = (problem.where.column or 1) - 1,
      severity = vim.diagnostic.severity[severity],
      source = 'devloop ' .. subject,
      code = problem.code,
      message = table.concat({ problem.message, problem.why or '', problem.help }, '\n'),
    })
  end
  local failed, live = {}, nil
  for _, view in pairs(views) do
    if view.kind == 'session' then
      add('Devloopfile', 'ERROR', view.devloopfile.error)
      for _, problem in ipairs(view.problems) do add('devloop', 'ERROR', problem) end
    elseif view.kind == 'resource' then
      add(view.name, 'ERROR', view.error)
      for _, problem in ipairs(view.warnings) do add(view.name, 'WARN', problem) end
      if view.status == 'failed' then table.insert(failed, view.name) end
    elseif view.kind == 'change' and view.liveMs and (not live or view.at > live.at) then
      live = view
    end
  end
  for file in pairs(marked) do found[file] = found[file] or {} end
  marked = {}
  for file, diagnostics in pairs(found) do
    vim.diagnostic.set(namespace, vim.fn.bufadd(file), diagnostics)
    if #diagnostics > 0 then marked[file] = true end
  end
  table.sort(failed)
  M.status = #failed > 0 and 'failed: ' .. table.concat(failed, ', ') or live and ('live in %.0f ms'):format(live.liveMs) or 'devloop'
  vim.cmd('redrawstatus')
end

--- Follows the daemon of a project: reads what `devloop events` writes, one JSON object a line, and starts it again when it ends.
function M.start(folder, command)
  views = {}
  local rest = ''
  vim.fn.jobstart(command or { 'npx', 'devloop', 'events' }, {
    cwd = folder,
    on_stdout = function(_, chunks)
      for index, chunk in ipairs(chunks) do -- the last chunk is the begin of the next line
        if index > 1 then
          local read, event = pcall(vim.json.decode, rest)
          if read and event.event == 'upsert' then views[event.view.kind .. '/' .. event.view.name] = event.view end
          if read and event.event == 'remove' then views[event.key.kind .. '/' .. event.key.name] = nil end
          rest = ''
        end
        rest = rest .. chunk
      end
      show()
    end,
    on_exit = function()
      views = {}
      show()
      M.status = 'devloop: off'
      vim.defer_fn(function() M.start(folder, command) end, 3000)
    end,
  })
end

return M

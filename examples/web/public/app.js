// Asks for the greeting twice a second, and takes a changed style sheet without a reload.
const [greeting, from] = ['greeting', 'from'].map((id) => document.getElementById(id))
const style = document.querySelector('link[rel=stylesheet]')
let css

async function look() {
  try {
    const answer = await (await fetch('/greeting')).json()
    greeting.textContent = answer.greeting
    from.textContent = `${answer.from}, process ${answer.pid}, since ${new Date(answer.startedAt).toLocaleTimeString()}`
    const now = await (await fetch('/style.css')).text()
    if (css !== undefined && css !== now) style.href = `/style.css?${Date.now()}`
    css = now
  } catch {
    from.textContent = 'one moment …'
  }
  setTimeout(look, 500)
}

void look()

// Tools that generated Dockerfiles install by themselves, where a project names none of its own: the one table of their versions.

/** Looked through on 2026-11-23. */
export const toolVersions = {
  uv: '0.13.9',
  poetry: '2.1.4',
  pipenv: '2025.0.4',
  gunicorn: '23.0.0',
  uvicorn: '0.34.3',
} as const

export type Tool = keyof typeof toolVersions

/** As pip wants it: `uv==1.2.3`. */
export const pinned = (tool: Tool): string => `${tool}==${toolVersions[tool]}`

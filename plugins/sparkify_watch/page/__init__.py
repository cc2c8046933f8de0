"""The page "Warehouse": a FastAPI application below the API server's `/warehouse`.

`app` puts it together, `access` asks for login and permission, `answer` renders a template; `views`, `hours`
and `actions` hold the routes.
"""

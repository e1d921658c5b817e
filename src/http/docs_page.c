/* The page to read and try the API: see docs_page.h. Its assets come by scripts/fetch-docs-ui, from
 * no CDN. */
#include "http/docs_page.h"

const char docs_page[] =
	"<!doctype html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Zygo API</title>\n"
	"<link rel=\"icon\" href=\"data:,\">\n"
	"<link rel=\"stylesheet\" href=\"/api/docs/assets/swagger-ui.css\">\n"
	"</head>\n"
	"<body>\n"
	"<main id=\"docs\"><p>The API as OpenAPI 3.1: <a href=\"/api/openapi.json\">all of it</a>, "
	"<a href=\"/api/v1/openapi.json\">the public tier</a>.</p></main>\n"
	"<script src=\"/api/docs/assets/swagger-ui-bundle.js\"></script>\n"
	"<script src=\"/api/docs/start.js\"></script>\n"
	"</body>\n"
	"</html>\n";

const char docs_script[] =
	"if (window.SwaggerUIBundle) {\n"
	"\tSwaggerUIBundle({\n"
	"\t\turl: new URLSearchParams(location.search).get('public') === null ?\n"
	"\t\t\t'/api/openapi.json' : '/api/v1/openapi.json',\n"
	"\t\tdom_id: '#docs',\n"
	"\t\tdeepLinking: true,\n"
	"\t\tfilter: true,\n"
	"\t\tdocExpansion: 'none',\n" /* only what is opened is made: hundreds of operations take
					 seconds */
	"\t\tdefaultModelsExpandDepth: 0,\n"
	"\t\tvalidatorUrl: null,\n"
	"\t});\n"
	"} else {\n"
	"\tconst p = document.createElement('p');\n"
	"\tp.textContent = 'To read and try it here, an admin runs scripts/fetch-docs-ui once.';\n"
	"\tdocument.getElementById('docs').append(p);\n"
	"}\n";

"""The addresses of an installation where IOA_OIDC_URL is set."""

from curriculum import oidc
from ioa_web import urls

handler403 = urls.handler403
urlpatterns = [*urls.urlpatterns, *oidc.urlpatterns]

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from curriculum import oidc, signing_in
from curriculum.api import root as api
from curriculum.views import accounts
from ioa_web.health import healthz

handler500 = api.failed
handler403 = "curriculum.views.common.refused"
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("login/", signing_in.Login.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("password/", accounts.PasswordChange.as_view(), name="password_change"),
    path("password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("admin/", admin.site.urls),
    path("api/v1/", include((api.urls(), "api"))),
    path("", include("curriculum.urls")),
]
if settings.IOA_OIDC:
    urlpatterns += oidc.urlpatterns

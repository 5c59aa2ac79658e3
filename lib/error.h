/*
 * error: the one table of error codes. A code is permanent (SPEC of the API);
 * its status and its two messages stand beside it. What the web servers'
 * samples in etc/ say themselves is held against it by tests/errors.
 */
#ifndef ERROR_H
#define ERROR_H

/* code, HTTP status, Korean message, English message */
#define ERROR_LIST(E) \
	E(INVALID_REQUEST, 400, "요청이 올바르지 않습니다.", "The request is not valid.") \
	E(IMAGE_INVALID, 400, \
	    "사용할 수 없는 이미지입니다. JPEG, PNG, WebP, GIF(5MB 이하)만 가능합니다.", \
	    "The image cannot be used: JPEG, PNG, WebP or GIF, up to 5 MB and 40 megapixels.") \
	E(INVALID_CREDENTIALS, 401, "로그인 정보가 올바르지 않습니다.", \
	    "The login details are wrong.") \
	E(TOKEN_MISSING, 401, "로그인이 필요합니다.", "Log in first.") \
	E(TOKEN_EXPIRED, 401, "로그인이 만료되었습니다. 다시 로그인해 주세요.", \
	    "The login has expired. Log in again.") \
	E(TOKEN_INVALID, 401, "로그인 정보가 유효하지 않습니다. 다시 로그인해 주세요.", \
	    "The login is not valid any more. Log in again.") \
	E(ACCOUNT_INACTIVE, 403, "사용이 중지된 계정 또는 매장입니다.", \
	    "This account or store is not active.") \
	E(FORBIDDEN, 403, "이 작업을 할 권한이 없습니다.", "You may not do this.") \
	E(NOT_FOUND, 404, "요청한 주소가 없습니다.", "There is nothing at this address.") \
	E(ORDER_NOT_FOUND, 404, "주문을 찾을 수 없습니다.", "There is no such order.") \
	E(MENU_NOT_FOUND, 404, "메뉴를 찾을 수 없습니다.", "There is no such menu.") \
	E(CATEGORY_NOT_FOUND, 404, "메뉴 분류를 찾을 수 없습니다.", "There is no such category.") \
	E(TABLE_NOT_FOUND, 404, "테이블을 찾을 수 없습니다.", "There is no such table.") \
	E(SESSION_NOT_FOUND, 404, "열려 있는 테이블 이용이 없습니다.", \
	    "The table has no such session.") \
	E(STORE_NOT_FOUND, 404, "매장을 찾을 수 없습니다.", "There is no such store.") \
	E(ADMIN_NOT_FOUND, 404, "관리자를 찾을 수 없습니다.", "There is no such admin.") \
	E(METHOD_NOT_ALLOWED, 405, "이 주소에서 지원하지 않는 방식입니다.", \
	    "This address does not support this method.") \
	E(NOT_ACCEPTABLE, 406, "이 형식으로는 응답할 수 없습니다.", \
	    "An answer is available as application/json only.") \
	E(ORDER_ITEMS_UNAVAILABLE, 409, "주문할 수 없는 메뉴가 있습니다.", \
	    "Some of the menus cannot be ordered.") \
	E(PRICE_CHANGED, 409, "가격이 변경되었습니다. 확인 후 다시 주문해 주세요.", \
	    "Prices have changed. Check them and order again.") \
	E(INVALID_STATUS_TRANSITION, 409, "이 상태로 변경할 수 없는 주문입니다.", \
	    "The order cannot go to this status.") \
	E(VERSION_CONFLICT, 409, "다른 사람이 먼저 주문을 변경했습니다.", \
	    "Somebody else has changed the order meanwhile.") \
	E(ORDER_CANNOT_DELETE, 409, "이 상태의 주문은 삭제할 수 없습니다.", \
	    "An order of this status cannot be deleted.") \
	E(TABLE_IN_USE, 409, "이용 중인 테이블은 삭제할 수 없습니다.", \
	    "The table has an open session.") \
	E(TABLE_NUMBER_TAKEN, 409, "이미 사용 중인 테이블 번호입니다.", \
	    "Another table has this number.") \
	E(USERNAME_TAKEN, 409, "이미 사용 중인 아이디입니다.", "This user name is taken.") \
	E(STORE_CODE_TAKEN, 409, "이미 사용 중인 매장 코드입니다.", \
	    "Another store has this code.") \
	E(MENU_IN_USE, 409, "주문에 포함된 메뉴는 삭제할 수 없습니다. 품절로 표시해 주세요.", \
	    "The menu is part of a live order; mark it unavailable instead.") \
	E(CATEGORY_NOT_EMPTY, 409, "메뉴가 있는 분류는 삭제할 수 없습니다.", \
	    "The category still has menus.") \
	E(CATEGORY_NAME_TAKEN, 409, "이미 사용 중인 분류 이름입니다.", \
	    "Another category has this name.") \
	E(PAYLOAD_TOO_LARGE, 413, "요청 내용이 너무 큽니다.", "The request body is too large.") \
	E(UNSUPPORTED_MEDIA_TYPE, 415, "지원하지 않는 요청 형식입니다.", \
	    "The request body has an unsupported type.") \
	E(IDEMPOTENCY_KEY_REUSED, 422, "같은 요청 키가 다른 내용으로 이미 사용되었습니다.", \
	    "This Idempotency-Key was used with another body.") \
	E(RATE_LIMITED, 429, "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.", \
	    "Too many requests. Try again in a moment.") \
	E(LOGIN_THROTTLED, 429, "로그인 시도가 너무 많습니다. 잠시 후 다시 시도해 주세요.", \
	    "Too many failed logins. Try again later.") \
	E(INTERNAL_ERROR, 500, "서버에 문제가 발생했습니다.", \
	    "Something went wrong in the server.") \
	E(STORAGE_UNAVAILABLE, 503, \
	    "지금은 이미지를 저장할 수 없습니다. 잠시 후 다시 시도해 주세요.", \
	    "Pictures cannot be stored at the moment. Try again later.") \
	E(DEPENDENCY_UNAVAILABLE, 503, "잠시 서비스를 이용할 수 없습니다. 다시 시도해 주세요.", \
	    "The service is not available at the moment. Try again.") \
	/* said by web servers only */ \
	E(GATEWAY_TIMEOUT, 504, "처리 시간이 초과되었습니다. 다시 시도해 주세요.", \
	    "The request took too long. Try again.")

enum error_code {
	ERR_NONE,
#define E(code, status, ko, en) ERR_##code,
	ERROR_LIST(E)
#undef E
	    ERR_COUNT
};

enum lang { LANG_KO, LANG_EN };

/* The code as clients see it, "INVALID_REQUEST". */
const char *error_name(enum error_code code);
/* Its HTTP status. */
int error_status(enum error_code code);
/* Its message for a person. */
const char *error_message(enum error_code code, enum lang lang);

#endif
